import { describe, expect, test } from "bun:test";
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflateRaw,
  createGzip,
  createZstdCompress,
  gzipSync,
} from "node:zlib";
import { send } from "../../testkit/forwarding.ts";
import { RAW_END, rawChunk, rawChunks, rawTarget } from "../../testkit/servers/tcp.ts";
import type { ForwardOptions } from "./forward.ts";
import { ModelRewrite } from "./rewrite/model.ts";

type Answer = () => Response | Promise<Response>;

/** Sends one request on to a server that answers so. */
async function forwarded(answer: Answer, more: Partial<ForwardOptions> = {}) {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  const sending = send(server.url.href, { headers: new Headers(), ...more });
  sending.catch(() => server.stop(true));
  const result = await sending;
  return { ...result, server, [Symbol.asyncDispose]: () => server.stop(true) };
}

const FIRST = 'data: {"a":1}\n\n';
const REST = "data: [DONE]\n\n";

const CODERS = [
  ["gzip", () => createGzip(), constants.Z_SYNC_FLUSH],
  ["deflate", () => createDeflateRaw(), constants.Z_SYNC_FLUSH],
  ["br", () => createBrotliCompress(), constants.BROTLI_OPERATION_FLUSH],
  ["zstd", () => createZstdCompress(), constants.ZSTD_e_flush],
] as const;

describe("an answer that is coded although identity was asked for", () => {
  test.each<[string, (text: string) => Uint8Array, string, number]>([
    ["gzip", gzipSync, '{"id":"c1"}', 200],
    ["br", brotliCompressSync, '{"id":"c1"}', 200],
    ["gzip", gzipSync, '{"error":{"message":"no"}}', 400],
  ])("is what it says, whole: %s", async (coding, encode, text, status) => {
    const headers = { "content-type": "application/json", "content-encoding": coding };
    const answer = () => new Response(Buffer.from(encode(text)), { status, headers });
    await using got = await forwarded(answer);
    expect(got.response.headers.has("content-encoding")).toBe(false);
    expect([got.response.status, await got.response.text()]).toEqual([status, text]);
  });

  test.each(CODERS)("comes event by event, streamed: %s", async (coding, make, kind) => {
    const coder = make();
    const pieces: Uint8Array[] = [];
    coder.on("data", (piece) => pieces.push(piece));
    coder.write(FIRST);
    await new Promise<void>((resolve) => coder.flush(kind, resolve));
    const mayEnd = Promise.withResolvers<void>();
    async function* coded() {
      yield Buffer.concat(pieces.splice(0));
      await mayEnd.promise;
      const ended = new Promise((resolve) => coder.once("end", resolve));
      coder.end(REST);
      await ended;
      yield Buffer.concat(pieces);
    }
    const headers = { "content-type": "text/event-stream", "content-encoding": coding };
    await using got = await forwarded(() => new Response(coded() as never, { headers }));
    const reader = got.response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe(FIRST);
    mayEnd.resolve();
    expect((await reader?.read())?.value).toBe(REST);
    expect((await reader?.read())?.done).toBe(true);
    expect(await got.sent).toBe("complete");
  });

  test("that nobody can decode is a failure of the endpoint", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    const failing = forwarded(() => new Response("no gzip", { headers }));
    await expect(failing).rejects.toMatchObject({ kind: "upstream", status: 502 });
  });
});

const WHOLE = '{"id":"c1","model":"own"}';
const JSON_TYPE = "application/json";
const SSE = "text/event-stream";
const STREAM = `${FIRST}${REST}`;

describe("an answer is what its bytes say where its type says little", () => {
  /** In pieces, so that its length is not known. */
  async function* pieces(text: string) {
    yield Buffer.from(text.slice(0, 20));
    await Bun.sleep(1);
    yield Buffer.from(text.slice(20));
  }
  const types: [string, string, string][] = [
    ["Text/Event-Stream; charset=UTF-8", STREAM, SSE],
    ["text/plain", STREAM, SSE],
    ["", STREAM, SSE],
    [JSON_TYPE, STREAM, SSE],
    ["application/octet-stream", `: ping\n\n${STREAM}`, SSE],
    ["text/plain; charset=utf-8", `event: x\n${STREAM}`, SSE],
    ["", WHOLE, JSON_TYPE],
    ["text/plain", `\n ${WHOLE}`, JSON_TYPE],
    ["text/html", WHOLE, JSON_TYPE],
    ["Application/JSON", WHOLE, JSON_TYPE],
    ["application/json; charset=utf-8", WHOLE, "application/json; charset=utf-8"],
    ["application/x-ndjson", `${WHOLE}\n${WHOLE}\n`, "application/x-ndjson"],
    ["text/plain", "[Music] data: of all kinds", "text/plain"],
    ["text/plain", "1\n00:00:00,000 --> 00:00:01,000\n", "text/plain"],
    ["audio/mpeg", STREAM, "audio/mpeg"],
  ];

  test.each(types)("%s, %s is %s", async (type, text, told) => {
    for (const isWhole of [true, false]) {
      const body = isWhole ? Buffer.from(text) : (pieces(text) as never);
      await using got = await forwarded(
        () => new Response(body, { headers: { "content-type": type } }),
      );
      expect(got.response.headers.get("content-type")).toBe(told);
      expect(await got.response.text()).toBe(text);
      expect(await got.sent).toBe("complete");
    }
  });

  test("JSON of a known length that is named a stream is JSON", async () => {
    const headers = { "content-type": SSE };
    await using got = await forwarded(() => new Response(WHOLE, { headers }));
    expect(got.response.headers.get("content-type")).toBe(JSON_TYPE);
    expect(await got.response.text()).toBe(WHOLE);
  });

  test.each([
    ['{"id":"c1"}', 200],
    [' [{"id":"c1"}]', 200],
    ['{"error":{"message":"no","code":429}}', 429],
  ])("JSON in pieces that is named a stream is JSON: %s", async (text, status) => {
    using target = rawTarget((c) => {
      c.send(rawChunks(SSE));
      setTimeout(() => c.send(rawChunk(text) + RAW_END), 1);
    });
    const to = { url: `${target.url}/x`, label: "endpoint e" };
    await using got = await forwarded(() => new Response(), { target: to, checksAnswer: true });
    expect(got.response.headers.get("content-type")).toBe(JSON_TYPE);
    expect([got.response.status, got.awaitsContent]).toEqual([status, false]);
    expect(await got.response.text()).toBe(text);
  });

  test.each([
    ["", WHOLE],
    ["TEXT/PLAIN", WHOLE],
    ["text/plain", `data: ${WHOLE}\n\n`],
  ])("so that it is rewritten as well: %j %s", async (type, text) => {
    const rewrite = new ModelRewrite("asked");
    const headers = { "content-type": type };
    await using got = await forwarded(() => new Response(text, { headers }), { rewrite });
    expect(await got.response.text()).toBe(text.replace("own", "asked"));
  });

  test("a stream named text/plain that breaks off ends with an error", async () => {
    using target = rawTarget((c) => {
      c.send(rawChunks("text/plain", FIRST));
      setTimeout(() => c.reset(), 5);
    });
    const to = { url: `${target.url}/x`, label: "endpoint e" };
    await using got = await forwarded(() => new Response(), { target: to });
    expect(await got.response.text()).toMatch(/^data: .*\n\n\ndata: \{"error":/);
    expect(await got.sent).toBe("failed");
  });
});
