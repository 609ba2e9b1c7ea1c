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
import { type ForwardOptions, forward } from "./forward.ts";

type Answer = () => Response | Promise<Response>;

/** Sends one request on to a server that answers so. */
async function forwarded(answer: Answer, more: Partial<ForwardOptions> = {}) {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  const sending = forward({
    target: { url: server.url.href, label: "endpoint e" },
    method: "POST",
    headers: new Headers(),
    body: new TextEncoder().encode("{}"),
    requestId: "req_1",
    dialect: "openai",
    caller: new AbortController(),
    firstByteTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    ...more,
  });
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
