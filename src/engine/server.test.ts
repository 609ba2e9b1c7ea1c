import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { EngineHome } from "../testkit/engine.ts";
import type { NativeRequest, RequestSink } from "./binding.ts";
import { type RequestEngine, SECRET_HEADER, serveEngine } from "./server.ts";

/** Longer than Bun's own limit of ten seconds, which it looks at every four. */
const SILENCE_MS = 13_000;
const LIMIT_MS = SILENCE_MS + 5000;

const home = new EngineHome();
let served: ReturnType<typeof serveEngine>;
beforeAll(() => {
  served = serveEngine(new SlowEngine(), join(home.path, "engine.sock"));
});
afterAll(() => {
  served.close();
  home[Symbol.dispose]();
});

/** Says `a`, is silent, then says `b`: in answers that begin at once, late, or are sent whole. */
class SlowEngine implements RequestEngine {
  submit({ path }: NativeRequest, sink: RequestSink): number {
    void this.#answer(path, sink);
    return 1;
  }

  cancel(): void {
    // Nobody leaves here.
  }

  async #answer(path: string, sink: RequestSink): Promise<void> {
    const isStream = path !== "/whole";
    if (path === "/late") await Bun.sleep(SILENCE_MS);
    sink.head(200, isStream ? "text/event-stream" : "application/json", isStream);
    sink.data(new TextEncoder().encode("a"));
    if (path !== "/late") await Bun.sleep(SILENCE_MS);
    sink.data(new TextEncoder().encode("b"));
    sink.end();
  }
}

function ask(method: string, path: string): Promise<Response> {
  const { address } = served;
  if ("unix" in address) return fetch(`http://engine${path}`, { method, unix: address.unix });
  const headers = { [SECRET_HEADER]: address.secret };
  return fetch(`http://127.0.0.1:${address.port}${path}`, { method, headers });
}

describe("an answer may be silent for any time", () => {
  for (const path of ["/stream", "/late", "/whole"]) {
    for (const method of ["GET", "POST"]) {
      test.concurrent(
        `${method} ${path}`,
        async () => {
          expect(await (await ask(method, path)).text()).toBe("ab");
        },
        LIMIT_MS,
      );
    }
  }
});
