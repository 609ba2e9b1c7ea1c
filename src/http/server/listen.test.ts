import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { z } from "zod";
import { createLogger } from "../../lib/log.ts";
import { rawClient } from "../../testkit/servers/tcp.ts";
import { createApp } from "./app.ts";
import { readJson } from "./body.ts";
import { Drain } from "./drain.ts";
import { type Listener, listen, withoutIdleLimit } from "./listen.ts";

/** Longer than a limit of a second, which Bun looks at every four. */
const SILENCE_MS = 6000;
const LIMIT_MS = SILENCE_MS + 4000;

let listener: Listener;
/** The client of the endless request has left. */
const left = Promise.withResolvers<void>();
beforeAll(() => {
  const app = createApp({ log: createLogger({ level: "silent" }), drain: new Drain() });
  app.get("/limited", () => late());
  app.get("/unlimited", async (c) => {
    withoutIdleLimit(c);
    return late();
  });
  app.post("/json", async (c) => {
    await readJson(c, z.object({}), 100);
    return late();
  });
  app.get("/at-once", (c) => c.text("at once"));
  app.post("/endless", async (c) => {
    c.req.raw.signal.addEventListener("abort", () => left.resolve());
    await left.promise;
    return c.text("in vain");
  });
  app.get("/address", (c) => c.text(c.env.server?.requestIP(c.req.raw)?.address ?? "unknown"));
  listener = listen(app, { host: "127.0.0.1", port: 0, idleTimeoutS: 1 });
});
afterAll(() => listener.stop(true));

/** Begins at once, then is silent. */
function late(): Response {
  const { readable, writable } = new TransformStream<string, string>();
  const writer = writable.getWriter();
  const write = async () => {
    await writer.write("begun, ");
    await Bun.sleep(SILENCE_MS);
    await writer.write("late");
    await writer.close();
  };
  write().catch(() => undefined); // the client is gone
  return new Response(readable.pipeThrough(new TextEncoderStream()));
}

/** All that is answered to a request until the connection ends. */
async function answer(head: string): Promise<string> {
  const client = await rawClient(listener.url);
  client.send(head);
  return client.closed;
}

const HOST = "HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
/** As some probes and old proxies ask. */
const HOSTLESS = "HTTP/1.0\r\n";
const JSON_BODY = "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

describe("a silent answer", () => {
  test.concurrent(
    "ends with its connection",
    async () => {
      const received = await answer(`GET /limited ${HOST}\r\n`);
      expect(received).not.toContain("late");
    },
    LIMIT_MS,
  );

  for (const [name, version] of Object.entries({ HOST, HOSTLESS })) {
    test.concurrent(
      `may be so where its route says so: ${name}`,
      async () => {
        expect(await answer(`GET /unlimited ${version}\r\n`)).toContain("late");
      },
      LIMIT_MS,
    );

    test.concurrent(
      `may be so once a JSON body is read: ${name}`,
      async () => {
        expect(await answer(`POST /json ${version}${JSON_BODY}`)).toContain("late");
      },
      LIMIT_MS,
    );
  }
});

test("who asks is known with and without a Host", async () => {
  for (const version of [HOST, HOSTLESS]) {
    expect(await answer(`GET /address ${version}\r\n`)).toEndWith("127.0.0.1");
  }
});

test("an address with a zone in the Host is one like any other", async () => {
  const origin = "origin: http://evil.example\r\nconnection: close\r\n\r\n";
  for (const host of ["[fe80::1%eth0]:1", "[::%1]"]) {
    const head = `/at-once?a=1 HTTP/1.1\r\nhost: ${host}\r\n`;
    expect(await answer(`GET ${head}${origin}`)).toEndWith("at once");
    expect(await answer(`POST ${head}content-length: 0\r\n${origin}`)).toContain("403 Forbidden");
  }
});

test("a request that is sent before the last one is answered ends both", async () => {
  const endless = "POST /endless HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";
  const heard = await answer(`${endless}GET /at-once ${HOST}\r\n`);
  await left.promise;
  // Nothing of the second may be taken for the answer to the first.
  expect(heard).toBe("");
});

const GET = "GET /at-once HTTP/1.1\r\nhost: localhost\r\n";
const CHUNKED = `POST /json ${HOST}transfer-encoding: chunked\r\n`;
const LENGTH = (value: string) => `POST /json ${HOST}content-length: ${value}\r\n\r\n{}`;

/** Bytes that two servers in a row may read differently, so that one request hides in another. */
test.each([
  ["lines that end in LF alone", "GET /at-once HTTP/1.1\nhost: localhost\n\n"],
  ["one such line among others", `${GET}x-a: 1\nx-b: 2\r\n\r\n`],
  ["an end of LF alone", `${GET}\n`],
  ["CR alone", `${GET}x-a: 1\rx-b: 2\r\n\r\n`],
  ["a folded line", `${GET}x-a: 1\r\n 2\r\n\r\n`],
  ["a blank before the colon", `${GET}x-a : 1\r\n\r\n`],
  ["a length and chunks", `${CHUNKED}content-length: 5\r\n\r\n0\r\n\r\n`],
  ["two lengths", `POST /json ${HOST}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`],
  ["a length with a sign", LENGTH("+2")],
  ["a length twice in a line", LENGTH("2, 2")],
  ["a length in hexadecimal", LENGTH("0x2")],
  ["another coding", `POST /json ${HOST}transfer-encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
  ["a chunk that ends in LF alone", `${CHUNKED}\r\n2\n{}\r\n0\r\n\r\n`],
  ["a chunk without end", `${CHUNKED}\r\n2\r\n{}0\r\n\r\n`],
])("is refused and the connection closed: %s", async (_, bytes) => {
  const heard = await answer(`${bytes}GET /at-once ${HOST}\r\n`);
  expect(heard).toMatch(/^HTTP\/1\.1 (?:400|505) /);
  expect(heard).not.toContain("at once");
});
