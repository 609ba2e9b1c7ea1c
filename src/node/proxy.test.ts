import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Listener, listen } from "../http/server/listen.ts";
import { TestNode } from "../testkit/node.ts";

/** Longer than the connection's limit of a second, which Bun looks at every four. */
const SILENCE_MS = 6000;
const LIMIT_MS = SILENCE_MS + 4000;

let host: TestNode;
let listener: Listener;
beforeAll(async () => {
  host = new TestNode(["chat", "slow", "heard"], { idleTimeoutMs: SILENCE_MS });
  listener = listen(host.node.app, { host: "127.0.0.1", port: 0, idleTimeoutS: 1 });
  await host.node.warm("heard");
  await host.node.warm("chat");
  const late = Bun.sleep(SILENCE_MS);
  host.engines.last.gate = late;
  host.engines.hold(late);
});
afterAll(async () => {
  await listener.stop(true);
  await host[Symbol.asyncDispose]();
});

/** The fake engine begins its answer to what says `stream`, and then never goes on. */
function form(): FormData {
  const form = new FormData();
  form.set("model", "heard");
  form.set("hint", '"stream":true');
  form.set("file", new File(["sound"], "a.wav"));
  return form;
}

describe("the client's connection may be silent as long as an engine is", () => {
  const asked: [string, string, string, RequestInit?][] = [
    ["at an answer without a body", "/props?model=chat", "engine"],
    ["at a load", "/tokenize?model=slow", "engine", { method: "POST", body: "{}" }],
    ["at a look at what it does", "/slots?model=chat", "engine"],
    [
      "within the answer to a form",
      "/v1/audio/transcriptions",
      "to continue its answer",
      { method: "POST", body: form() },
    ],
  ];
  for (const [name, path, told, init] of asked) {
    test.concurrent(
      name,
      async () => {
        const response = await fetch(listener.url + path, init);
        expect([response.status, await response.text()]).toEqual([
          200,
          expect.stringContaining(told),
        ]);
      },
      LIMIT_MS,
    );
  }
});
