import { describe, expect, test } from "bun:test";
import { failing, PullBench } from "../../testkit/pullbench.ts";
import { FileServer, sha256 } from "../../testkit/servers/files.ts";
import { ModelStore } from "../modelstore.ts";

const DONE = ["manifest.json", "model-Q4_0.gguf"];

describe("a cut connection", () => {
  test("is gone on with where it was cut, at every tenth of the file", async () => {
    await using bench = await PullBench.start();
    const size = 1_000_003;
    const file = bench.hub.add("model-Q4_0.gguf", size);
    const cuts = Array.from({ length: 9 }, (_, i) => Math.floor((size * (i + 1)) / 10));
    bench.hub.treat = (_, count) => (count < cuts.length ? { cutAt: cuts[count] ?? 0 } : {});
    await bench.pull([file], { puller: bench.puller({ retryLimit: NINE }) });
    expect(bench.isWhole(file)).toBe(true);
    expect(bench.hub.servedBytes).toBe(size);
  });

  test("leaves a part that the next pull goes on with", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1_000_000);
    bench.hub.treat = (_, count) => (count === 0 ? { cutAt: 600_000 } : { status: 503 });
    const error = await failing(bench.pull([file]));
    expect(error.message).toContain("pull again to go on");
    expect(bench.names()).toEqual([
      "manifest.json.part",
      "model-Q4_0.gguf.part",
      "model-Q4_0.gguf.part.json",
    ]);
    expect((await new ModelStore(bench.models.path).list()).models).toEqual([]);
    bench.hub.treat = () => ({});
    await bench.pull([file]);
    expect(bench.isWhole(file)).toBe(true);
    expect(bench.hub.seen.at(-1)?.headers.range).toBe("bytes=600000-999999");
    expect(bench.names()).toEqual(DONE);
  });

  test("of a server without ranges means all of it again", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 500_000);
    bench.hub.treat = (_, count) => ({
      rangeless: true,
      ...(count === 0 ? { cutAt: 200_000 } : {}),
    });
    await bench.pull([file]);
    expect(bench.isWhole(file)).toBe(true);
  });
});

const NINE = { attemptsMax: 12, firstMs: 1, maxMs: 2 };

describe("a server that", () => {
  test("is silent is left", async () => {
    await using bench = await PullBench.start({ idleMs: 100 });
    const file = bench.hub.add("model-Q4_0.gguf", 500_000);
    bench.hub.treat = (_, count) => (count === 0 ? { silentAt: 100_000 } : {});
    await bench.pull([file]);
    expect(bench.isWhole(file)).toBe(true);
  });

  test("says when to come back is asked again then, and others after a while", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 500_000);
    const answers = [
      { status: 429, headers: { "retry-after": "0" } },
      { status: 503, headers: { "retry-after": new Date(0).toUTCString() } },
      { status: 500 },
    ];
    bench.hub.treat = (_, count) => answers[count] ?? {};
    await bench.pull([file]);
    expect(bench.isWhole(file)).toBe(true);
    expect(bench.hub.seen).toHaveLength(4);
  });

  test("never answers well is given up", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 500_000);
    bench.hub.treat = () => ({ status: 502 });
    const error = await failing(bench.pull([file]));
    expect(error).toMatchObject({ code: "pull_unreachable", status: 502 });
    expect(error.message).toContain("answers 502");
    expect(bench.hub.seen).toHaveLength(4);
  });

  test.each([401, 403])("answers %d is told to be gated, with what to do", async (status) => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 500_000);
    bench.hub.treat = () => ({ status });
    const error = await failing(bench.pull([file]));
    expect(error.message).toContain(`gated model or unauthorized (status=${status})`);
    expect(error.message).toContain("HF_TOKEN");
    expect(bench.hub.seen).toHaveLength(1);
    expect(
      (await failing(bench.pull([file], { puller: bench.puller({ token: "t" }) }))).message,
    ).toContain("the account of HF_TOKEN");
  });

  test("has no such file is not asked again", async () => {
    await using bench = await PullBench.start();
    const file = { ...bench.hub.add("a.gguf", 10), url: `${bench.hub.url}/other.gguf` };
    expect(await failing(bench.pull([file]))).toMatchObject({ code: "pull_not_found" });
    expect(bench.hub.seen).toHaveLength(1);
  });
});

describe("a content server that refuses", () => {
  /** A bench whose hub redirects to another server, which refuses as often as `times` says. */
  async function elsewhere(times: number) {
    const [bench, content] = await Promise.all([PullBench.start(), FileServer.start()]);
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    content.files.set("/model-Q4_0.gguf", bench.hub.files.get("/model-Q4_0.gguf") ?? Buffer.of());
    bench.hub.treat = (_, count) => ({
      redirect: `${content.url}/model-Q4_0.gguf?signed=${count}`,
    });
    content.treat = (_, count) => (count < times ? { status: 403 } : {});
    const puller = bench.puller({ origins: [`${bench.hub.url}/*`, `${content.url}/*`] });
    return { bench, content, file, puller };
  }

  test("is asked with a new address, which the hub signs", async () => {
    const { bench, content, file, puller } = await elsewhere(2);
    await using _ = bench;
    await using __ = content;
    await bench.pull([file], { puller });
    expect(bench.isWhole(file)).toBe(true);
    expect(bench.hub.seen).toHaveLength(3);
  });

  test("again and again is told, and not that the model is gated", async () => {
    const { bench, content, file, puller } = await elsewhere(99);
    await using _ = bench;
    await using __ = content;
    const error = await failing(bench.pull([file], { puller }));
    expect(error).toMatchObject({ code: "pull_unreachable" });
    expect(error.message).toContain("that 127.0.0.1:");
    expect(error.message).toContain("answers 403. The model is not gated");
    expect(bench.hub.seen).toHaveLength(3);
  });
});

describe("the hub's own words", () => {
  test("are told of what it refuses", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    const said = { "x-error-message": "Access to this resource is disabled." };
    bench.hub.treat = () => ({ status: 403, headers: said });
    const error = await failing(bench.pull([file]));
    expect(error.message).toContain('answers 403. It says: "Access to this resource is disabled."');
    bench.hub.treat = () => ({ status: 403, headers: { ...said, "x-error-code": "GatedRepo" } });
    expect((await failing(bench.pull([file]))).message).toContain("gated model or unauthorized");
  });
});

test("a web page in place of the file is told at once", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add("model-Q4_0.gguf", 500_000);
  const headers = { "content-type": "text/html; charset=utf-8" };
  bench.hub.treat = () => ({ rangeless: true, headers });
  const error = await failing(bench.pull([file]));
  expect(error.message).toContain("a web page (HTML) came in place of the file");
  expect(bench.hub.seen).toHaveLength(1);
});

test("a web page that says nothing of what it is, too", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add("model-Q4_0.gguf", 500_000);
  bench.hub.treat = () => ({ status: 200, body: "\n<!DOCTYPE html><html>Log in</html>" });
  const error = await failing(bench.pull([file]));
  expect(error.message).toContain("a web page (HTML) came in place of the file");
  expect(bench.hub.seen).toHaveLength(1);
});

describe("wrong bytes", () => {
  test("are fetched once more", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 500_000);
    bench.hub.treat = (_, count) => (count === 0 ? { wrongByte: 123_456 } : {});
    await bench.pull([file]);
    expect(bench.isWhole(file)).toBe(true);
  });

  test("that come twice are removed, and the error says both hashes", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 500_000);
    bench.hub.treat = () => ({ wrongByte: 7 });
    const error = await failing(bench.pull([file]));
    expect(error).toMatchObject({ code: "pull_mismatch" });
    expect(error.message).toContain(file.sha256 ?? "-");
    expect(bench.names()).toEqual(["manifest.json.part"]);
    expect(bench.hub.seen).toHaveLength(2);
  });

  test("of small files are told by their git object", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("config.json", 1000, { sha256: null });
    const bytes = bench.hub.files.get("/config.json") ?? Buffer.alloc(0);
    const oid = new Bun.CryptoHasher("sha1").update("blob 1000\0").update(bytes).digest("hex");
    const wrong = { ...file, git_oid: "0".repeat(40) };
    expect(await failing(bench.pull([wrong]))).toMatchObject({ code: "pull_mismatch" });
    const { files } = await bench.pull([{ ...file, git_oid: oid }]);
    expect(files[0]?.sha256).toBe(sha256(bytes));
    expect((await bench.pull([file])).files[0]?.size_bytes).toBe(1000);
  });

  test("a size that is not the manifest's is refused at once", async () => {
    await using bench = await PullBench.start();
    const file = { ...bench.hub.add("model-Q4_0.gguf", 5000), size_bytes: 6000 };
    expect((await failing(bench.pull([file]))).message).toContain("5000 bytes, but 6000 were");
  });
});

describe("a file that changed between attempts", () => {
  test("is fetched from its beginning", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1_000_000, { sha256: null, size_bytes: null });
    bench.hub.treat = (_, count) => (count === 0 ? { cutAt: 600_000 } : { status: 503 });
    await failing(bench.pull([file]));
    const changed = bench.hub.add("model-Q4_0.gguf", 900_000);
    bench.hub.treat = () => ({});
    await bench.pull([file]);
    expect(bench.isWhole(changed)).toBe(true);
  });

  test("also if only its tag says so", async () => {
    await using bench = await PullBench.start();
    const file = { ...bench.hub.add("model-Q4_0.gguf", 1_000_000), sha256: null };
    bench.hub.treat = (_, count) => (count === 0 ? { cutAt: 600_000 } : { status: 503 });
    await failing(bench.pull([file]));
    bench.hub.treat = () => ({ etag: '"another"' });
    await bench.pull([file]);
    expect(bench.names()).toEqual(DONE);
    expect(bench.hub.seen.at(-1)?.headers.range).toBe("bytes=0-999999");
  });

  test("is known by its content where its hash is known, not by tags", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1_000_000);
    const linked = { "x-linked-etag": `"${"0".repeat(64)}"` };
    bench.hub.treat = (_, count) => {
      return {
        etag: `"${count}"`,
        headers: linked,
        ...(count < 3 ? { cutAt: 300_000 * (count + 1) } : {}),
      };
    };
    await bench.pull([file]);
    expect(bench.isWhole(file)).toBe(true);
    expect(bench.hub.servedBytes).toBe(1_000_000);
  });
});
