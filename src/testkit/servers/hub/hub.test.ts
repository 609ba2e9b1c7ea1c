import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { downloadFile, fileDownloadInfo, listFiles, modelInfo, pathsInfo } from "@huggingface/hub";
import { tooManyRequests } from "./fault.ts";
import { startHub } from "./hub.ts";
import { safetensorsRepo, someBytes, variantsRepo } from "./samples.ts";

const NAME = "acme/Llama-3-8B-GGUF";
const FILE = "Llama-3-8B-Q4_K_M.gguf";

test("the hub's own library reads info, files and contents from it", async () => {
  await using hub = await startHub();
  const sha = await hub.add(variantsRepo());
  const at = { hubUrl: hub.url };
  hub.pageSize = 3;
  const info = await modelInfo({ ...at, name: NAME, additionalFields: ["sha", "tags"] });
  expect(info).toMatchObject({ name: NAME, sha, tags: ["gguf"], private: false, gated: false });
  const files = await Array.fromAsync(listFiles({ ...at, repo: NAME, recursive: true }));
  expect(files.map(({ path }) => path)).toEqual([
    "BF16",
    ...[1, 2, 3].map((n) => `BF16/Llama-3-8B-BF16-0000${n}-of-00003.gguf`),
    ...[FILE, "Llama-3-8B-Q8_0.gguf", "README.md", "mmproj-F16.gguf"],
  ]);
  const sha256 = createHash("sha256").update(someBytes(4000, 4)).digest("hex");
  const [paths] = [await pathsInfo({ ...at, repo: NAME, paths: [FILE, "none"], revision: sha })];
  expect(paths).toMatchObject([{ path: FILE, size: 4000, lfs: { oid: sha256, size: 4000 } }]);
  const file = await downloadFile({ ...at, repo: NAME, path: FILE, xet: false });
  expect(new Uint8Array((await file?.arrayBuffer()) ?? [])).toEqual(someBytes(4000, 4));
  const download = await fileDownloadInfo({ ...at, repo: NAME, path: FILE });
  expect(download).toMatchObject({ size: 4000, etag: `"${sha256}"` });
  expect(await fileDownloadInfo({ ...at, repo: NAME, path: "none" })).toBeNull();
  expect(hub.served(NAME, FILE)).toBe(4002);
});

test("files have the headers that clients resume by", async () => {
  await using hub = await startHub();
  const sha = await hub.add(safetensorsRepo());
  const base = `${hub.url}/acme/Qwen3-0.6B/resolve/main`;
  const head = await fetch(`${base}/model-00001-of-00002.safetensors`, {
    ...{ method: "HEAD", redirect: "manual" },
  });
  expect(head.status).toBe(302);
  expect(head.headers.get("x-repo-commit")).toBe(sha);
  expect(head.headers.get("x-linked-size")).toBe("2000");
  const etag = head.headers.get("x-linked-etag") ?? "";
  expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
  const ask = (headers: Record<string, string>) =>
    fetch(`${base}/model-00001-of-00002.safetensors`, { headers });
  const part = await ask({ range: "bytes=1990-", "if-range": etag });
  expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 1990-1999/2000"]);
  expect((await ask({ range: "bytes=1990-", "if-range": '"other"' })).status).toBe(200);
  expect((await ask({ range: "bytes=2000-" })).status).toBe(416);
  expect((await ask({ "if-none-match": etag })).status).toBe(304);
  const small = await fetch(`${base}/config.json`, { redirect: "manual" });
  expect(small.status).toBe(307);
  expect(await (await fetch(`${base}/config.json`)).json()).toMatchObject({ model_type: "qwen3" });
  const raw = await fetch(`${hub.url}/acme/Qwen3-0.6B/raw/main/model-00001-of-00002.safetensors`);
  expect(await raw.text()).toContain(`oid sha256:${etag.slice(1, -1)}`);
});

test("who may not, gets what the hub answers then", async () => {
  await using hub = await startHub();
  await hub.add({ name: "a/private", files: { "a.gguf": "x" }, private: true, allowed: ["hf_me"] });
  await hub.add({ name: "a/gated", files: { "a.gguf": "x" }, gated: "manual", allowed: ["hf_me"] });
  hub.tokens.add("hf_other");
  const codes = async (path: string, token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(hub.url + path, { headers, redirect: "manual" });
    return [answer.status, answer.headers.get("x-error-code")];
  };
  expect(await codes("/api/models/a/none")).toEqual([401, "RepoNotFound"]);
  expect(await codes("/api/models/a/private")).toEqual([401, "RepoNotFound"]);
  expect(await codes("/api/models/a/private", "hf_other")).toEqual([404, "RepoNotFound"]);
  expect(await codes("/api/models/a/private", "hf_me")).toEqual([200, null]);
  expect(await codes("/api/models/a/private", "hf_wrong")).toEqual([401, null]);
  expect(await codes("/api/models/a/gated")).toEqual([200, null]);
  expect(await codes("/a/gated/resolve/main/a.gguf")).toEqual([401, "GatedRepo"]);
  expect(await codes("/a/gated/resolve/main/a.gguf", "hf_other")).toEqual([403, "GatedRepo"]);
  expect(await codes("/a/gated/resolve/main/a.gguf", "hf_me")).toEqual([302, null]);
  const gone = "/a/gated/resolve/main/b.gguf";
  expect(await codes(gone, "hf_me")).toEqual([404, "EntryNotFound"]);
  expect(await codes("/api/models/a/gated/tree/v2")).toEqual([404, "RevisionNotFound"]);
});

test("faults happen where, when and as often as they are told", async () => {
  await using hub = await startHub();
  await hub.add({ name: "a/b", files: { "a.gguf": someBytes(100_000) } });
  const url = `${hub.url}/a/b/resolve/main/a.gguf`;
  hub.fail({ on: "resolve", mishap: tooManyRequests(3), after: 1, times: 1 });
  const status = async () => {
    const answer = await fetch(url);
    await answer.bytes();
    return answer.status;
  };
  expect(await status()).toBe(200);
  const limited = await fetch(url);
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "3"]);
  expect(await status()).toBe(200);

  hub.fail({ on: "cdn", file: "a.gguf", mishap: { cutAfter: 30_000 }, times: 1 });
  const cut = await fetch(url);
  expect(cut.headers.get("content-length")).toBe("100000");
  const got = await cut.bytes().catch(() => "cut");
  expect(got).toBe("cut");

  hub.fail({ on: "cdn", mishap: { wrongByteAt: 50_000 }, times: 1 });
  const wrong = await (await fetch(url, { headers: { range: "bytes=40000-" } })).bytes();
  const right = someBytes(100_000).subarray(40_000);
  const differing = [...wrong.keys()].filter((i) => wrong[i] !== right[i]);
  expect(differing).toEqual([10_000]);

  const etag = (await fetch(url, { method: "HEAD" })).headers.get("etag");
  await hub.replace("a/b", "a.gguf", someBytes(100_000, 2));
  expect((await fetch(url, { method: "HEAD" })).headers.get("etag")).not.toBe(etag);
});
