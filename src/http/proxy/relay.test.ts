import { expect, test } from "bun:test";
import { rawChunk, rawChunks, rawTarget } from "../../testkit/servers/tcp.ts";
import { type Exchange, exchange } from "../client/exchange.ts";
import { Deadlines } from "./deadlines.ts";
import { relay } from "./relay.ts";

const HEAD = rawChunks("text/event-stream");
const caller = { signal: new AbortController().signal };

async function bodyAt(url: string): Promise<Exchange> {
  const body = exchange({ url, method: "GET", headers: {}, body: null, keepAlive: false });
  await body.head;
  return body;
}

test("another body goes on where one broke: whole lines, one stream for the client", async () => {
  using broken = rawTarget((c) => {
    c.send(HEAD + rawChunk("one\n") + rawChunk("two\nthr"));
    c.end();
  });
  using other = rawTarget((c) => c.send(`${HEAD}${rawChunk("three\nfour\n")}0\r\n\r\n`));
  const deadlines = new Deadlines("endpoint a", caller);
  const breaks: unknown[] = [];
  const { stream, sent } = relay(await bodyAt(broken.url), {
    deadlines,
    idleTimeoutMs: 1000,
    afterBreak: async (cause) => {
      breaks.push(cause);
      return { body: await bodyAt(other.url) };
    },
  });
  expect(await new Response(stream).text()).toBe("one\ntwo\nthree\nfour\n");
  expect(await sent).toBe("complete");
  expect(breaks).toHaveLength(1);
});
