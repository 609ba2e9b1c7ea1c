import { describe, expect, test } from "bun:test";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { get } from "./get.ts";

const JSON_TEXT = JSON.stringify({ data: [{ id: "m" }] });

const twice = (text: string) => brotliCompressSync(gzipSync(text));

async function ask(coding: string, bytes: Uint8Array, limitBytes = 1000) {
  const fetch = () => new Response(Buffer.from(bytes), { headers: { "content-encoding": coding } });
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
  const { signal } = new AbortController();
  try {
    const options = { url: server.url.href, headers: {}, timeoutMs: 5000, limitBytes, signal };
    return Buffer.from((await get(options)).body).toString();
  } finally {
    await server.stop(true);
  }
}

describe("an answer that is coded although nothing was accepted", () => {
  test.each<[string, (text: string) => Uint8Array]>([
    ["gzip", gzipSync],
    ["X-GZIP", gzipSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
    ["gzip, identity, BR", twice],
    ["identity", Buffer.from],
    ["gzip", () => new Uint8Array()],
  ])("is decoded: %s", async (coding, encode) => {
    const coded = encode(JSON_TEXT);
    expect(await ask(coding, coded)).toBe(coded.length === 0 ? "" : JSON_TEXT);
  });

  test.each<[string, Uint8Array, string]>([
    ["compress", Buffer.from("x"), "the content coding compress"],
    ["constructor", Buffer.from("x"), "the content coding constructor"],
    ["gzip,gzip,gzip,gzip", Buffer.from("x"), "the content coding gzip,gzip"],
    ["gzip", Buffer.from("no gzip"), "its content coding is broken"],
    ["gzip", gzipSync(JSON_TEXT).subarray(0, -4), "its content coding is broken"],
  ])("fails as a whole where it cannot be: %s", async (coding, bytes, reason) => {
    await expect(ask(coding, bytes)).rejects.toMatchObject({
      code: "malformed",
      message: expect.stringContaining(reason),
    });
  });

  test.each<[string, (text: string) => Buffer]>([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
    ["gzip, br", twice],
    ["br, zstd", (text) => zstdCompressSync(brotliCompressSync(text))],
  ])("is broken wherever it is cut: %s", async (coding, encode) => {
    const coded = encode(JSON_TEXT);
    for (const end of [1, 6, Math.floor(coded.length / 2), coded.length - 1]) {
      await expect(ask(coding, coded.subarray(0, end))).rejects.toMatchObject({
        code: "malformed",
      });
    }
  });

  test("counts with its decoded size", async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    await expect(ask("gzip", bomb, 100_000)).rejects.toMatchObject({ code: "too_large" });
  });
});
