import { describe, expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import fc from "fast-check";
import { ORIGINS_DEFAULT } from "../../config/fields/hub.ts";
import { ggufBytes } from "../../testkit/modelsfolder.ts";
import { failing, PullBench } from "../../testkit/pullbench.ts";
import { FileServer, testManifest } from "../../testkit/servers/files.ts";
import type { Artifact } from "../../wire/manifest.ts";
import { PullError } from "./error.ts";

describe("origins", () => {
  test("the first address is checked", async () => {
    await using bench = await PullBench.start({ origins: ["huggingface.co/*"] });
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    const error = await failing(bench.pull([file]));
    expect(error).toMatchObject({ code: "pull_origin_not_allowed", status: 403 });
    expect(bench.hub.seen).toEqual([]);
  });

  test("a redirect to a host that is not allowed is not followed", async () => {
    await using bench = await PullBench.start();
    await using foreign = await FileServer.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    bench.hub.treat = () => ({ redirect: `${foreign.url}/model-Q4_0.gguf` });
    const error = await failing(bench.pull([file]));
    expect(error.message).toContain("redirects there");
    expect(foreign.seen).toEqual([]);
  });

  test("a path that looks like a host allows nothing, in an address or a redirect", async () => {
    await using foreign = await FileServer.start();
    const url = `${foreign.url}/x.huggingface.co/m.gguf`;
    await using bench = await PullBench.start();
    const origins = [...ORIGINS_DEFAULT, bench.hub.url];
    const puller = bench.puller({ origins });
    const file = bench.hub.add("m.gguf", 1000);
    const error = await failing(bench.pull([{ ...file, url }], { puller }));
    expect(error).toMatchObject({ code: "pull_origin_not_allowed", status: 403 });
    bench.hub.treat = () => ({ redirect: url });
    expect((await failing(bench.pull([file], { puller }))).message).toContain("redirects there");
    expect(foreign.seen).toEqual([]);
  });

  test("what is fetched is what was compared, however the address is written", async () => {
    await using bench = await PullBench.start();
    const { host } = new URL(bench.hub.url);
    const puller = bench.puller({ origins: [`${host}/org/*`] });
    const file = bench.hub.add("org/m.gguf", 1000);
    bench.hub.treat = ({ path }) => (path === "/org/m.gguf" ? {} : { status: 404 });
    const odd = { ...file, url: `http:${host}/org/a//b/other.gguf` };
    await failing(bench.pull([odd], { puller }));
    expect(bench.hub.seen.map(({ path }) => path)).toEqual(["/org/a//b/other.gguf"]);
    await bench.pull([{ ...file, url: `http:\\\\${host}\\org\\m.gguf` }], { puller });
    expect(bench.names()).toContain("m.gguf");
  });

  test("a list of repositories allows redirects to the hub's own hosts only", async () => {
    await using bench = await PullBench.start({ origins: ["*"] });
    await using foreign = await FileServer.start();
    const file = bench.hub.add("org/m.gguf", 1000);
    const manifest = { origin_allowlist: ["org/*", bench.hub.url] };
    bench.hub.treat = () => ({ redirect: `${foreign.url}/org/m.gguf` });
    const error = await failing(bench.pull([file], { manifest }));
    expect(error.message).toContain("redirects there");
    bench.hub.treat = () => ({});
    await bench.pull([file], { manifest });
    expect(bench.names()).toContain("m.gguf");
    expect(foreign.seen).toEqual([]);
  });

  test("the manifest narrows what is allowed", async () => {
    await using bench = await PullBench.start({ origins: ["*"] });
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    const manifest = { origin_allowlist: ["example.com"] };
    expect(await failing(bench.pull([file], { manifest }))).toMatchObject({ status: 403 });
  });

  test("the token goes to the hub, and not with a redirect to another host", async () => {
    await using bench = await PullBench.start({ origins: ["*"], token: "secret" });
    await using content = await FileServer.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    content.files.set("/blob", bench.hub.files.get("/model-Q4_0.gguf") ?? Buffer.alloc(0));
    bench.hub.treat = ({ path }) => ({
      redirect: path === "/again" ? `${content.url}/blob?key=1` : "/again",
    });
    await bench.pull([file]);
    expect(bench.isWhole(file)).toBe(true);
    expect(bench.hub.seen.map(({ headers }) => headers.authorization)).toEqual([
      "Bearer secret",
      "Bearer secret",
    ]);
    expect(content.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    const elsewhere = { ...file, filename: "b.gguf", url: `${content.url}/blob` };
    await bench.pull([elsewhere]);
    expect(content.seen.at(-1)?.headers.authorization).toBeUndefined();
  });

  test("redirects in a circle end", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    bench.hub.treat = () => ({ redirect: "/model-Q4_0.gguf" });
    expect((await failing(bench.pull([file]))).message).toContain("over 8 redirects");
  });
});

describe("peers", () => {
  const at = (name: string) => `/api/models/files/hf/Org/Model/${name}`;
  const offer = async (bench: PullBench, file: Artifact) => {
    const peer = await FileServer.start();
    peer.files.set(at(file.filename), bench.hub.files.get(`/${file.filename}`) ?? Buffer.alloc(0));
    return peer;
  };

  test("are asked first, with their key, and the hub not at all", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 500_000);
    await using peer = await offer(bench, file);
    await bench.pull([file], { manifest: { peers: [{ url: peer.url, token: "key" }] } });
    expect(bench.isWhole(file)).toBe(true);
    expect(bench.hub.seen).toEqual([]);
    expect(peer.seen[0]?.headers.authorization).toBe("Bearer key");
  });

  test("that break off are gone on from at the hub", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 500_000);
    await using peer = await offer(bench, file);
    peer.treat = (_, count) => (count === 0 ? { cutAt: 300_000 } : { status: 500 });
    await bench.pull([file], { manifest: { peers: [{ url: peer.url, token: null }] } });
    expect(bench.isWhole(file)).toBe(true);
    expect(bench.hub.servedBytes).toBe(200_000);
    expect(bench.troubles).toHaveLength(1);
  });

  test("with wrong bytes, another file or none are given up for the hub", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 500_000);
    await using wrong = await offer(bench, file);
    await using other = await offer(bench, file);
    await using none = await FileServer.start();
    wrong.treat = () => ({ wrongByte: 1 });
    other.treat = () => ({ etag: '"other"' });
    const gone = { url: "http://127.0.0.1:9", token: null };
    const peers = [none, other, wrong].map(({ url }) => ({ url, token: null }));
    await bench.pull([file], { manifest: { peers: [gone, ...peers] } });
    expect(bench.isWhole(file)).toBe(true);
    expect(bench.hub.servedBytes).toBe(500_000);
  });

  test("are not asked for what no hash vouches for, or what they do not have", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    const plain = bench.hub.add("config.json", 1000, { sha256: null });
    await using peer = await offer(bench, file);
    const peers = [{ url: peer.url, token: null, files: ["config.json"] }];
    await bench.pull([file, plain], { manifest: { peers } });
    expect(peer.seen).toEqual([]);
  });
});

describe("a header", () => {
  test("is read from the hub with the first bytes of a file", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("m.gguf", 3_000_000);
    const bytes = bench.hub.files.get("/m.gguf") ?? Buffer.alloc(0);
    ggufBytes({ "general.architecture": "llama", "llama.block_count": 3 }).copy(bytes);
    for (const rangeless of [false, true]) {
      bench.hub.treat = (_, count) => (count % 2 === 0 ? { status: 503 } : { rangeless });
      const { signal } = new AbortController();
      const header = await bench.puller().header(testManifest([file]), file, signal);
      expect(header.get("llama.block_count")).toBe(3);
      expect(bench.hub.servedBytes).toBeLessThan(rangeless ? 4_000_000 : 300_000);
    }
  });

  test("is not read from where files may not come from", async () => {
    await using bench = await PullBench.start({ origins: [] });
    const file = bench.hub.add("m.gguf", 1000);
    const { signal } = new AbortController();
    const asked = bench.puller().header(testManifest([file]), file, signal);
    expect(await failing(asked)).toMatchObject({ code: "pull_origin_not_allowed" });
  });
});

describe("a hub that fails at random", () => {
  const treatment = fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    fc.record({ cutAt: fc.nat(300_000) }),
    fc.constantFrom({ status: 500 }, { status: 429, headers: { "retry-after": "0" } }),
    fc.record({ wrongByte: fc.nat(300_000) }),
    fc.constant({ rangeless: true }),
    fc.constant({ etag: '"another"' }),
  );

  test("gives a whole file, or a failure that leaves none, whatever comes", async () => {
    await using bench = await PullBench.start({
      segmentBytes: 50_000,
      rampMs: 0,
      retryLimit: { attemptsMax: 4, firstMs: 0, maxMs: 0 },
    });
    const file = bench.hub.add("m-Q4_0.gguf", 300_000);
    await fc.assert(
      fc.asyncProperty(fc.array(treatment, { maxLength: 30 }), async (treatments) => {
        rmSync(bench.folder, { recursive: true, force: true });
        const begun = bench.hub.seen.length;
        bench.hub.treat = (_, count) => treatments[count - begun] ?? {};
        const pulled = await bench.pull([file]).then(
          () => true,
          (error: unknown) => !(error instanceof PullError),
        );
        expect(bench.isWhole(file)).toBe(pulled);
        expect(existsSync(bench.path("m-Q4_0.gguf"))).toBe(pulled);
        bench.hub.treat = () => ({});
        await bench.pull([file]);
        expect(bench.isWhole(file)).toBe(true);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
