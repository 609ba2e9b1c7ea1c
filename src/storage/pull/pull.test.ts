import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { failing, PullBench } from "../../testkit/pull/bench.ts";
import { sha256 } from "../../testkit/pull/fileserver.ts";
import { Store } from "../store.ts";

const MIB = 1024 * 1024;
const DONE = ["manifest.json", "model-Q4_0.gguf"];

test("a model is fetched, verified, recorded and found", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add("model-Q4_0.gguf", 300_000, { quantization: "Q4_0" });
  const { files } = await bench.pull([file]);
  expect(bench.isWhole(file)).toBe(true);
  expect(bench.names()).toEqual(DONE);
  expect(files).toMatchObject([{ name: "model-Q4_0.gguf", sha256: file.sha256 }]);
  const found = await new Store(bench.models.path).find("Org/Model:Q4_0");
  expect(found).toMatchObject({ id: "hf/Org/Model", quantization: "Q4_0" });
  const offered = await new Store(bench.models.path).verified("hf/Org/Model", "model-Q4_0.gguf");
  expect(offered?.sha256).toBe(file.sha256 ?? "");
  await bench.pull([file]);
  expect(bench.hub.seen).toHaveLength(1);
});

test("a large file comes in several ranges at once, from a server that is not fast", async () => {
  await using bench = await PullBench.start({ rampMs: 5, segmentBytes: MIB });
  const file = bench.hub.add("model-Q4_0.gguf", 6 * MIB + 7);
  let [open, most] = [0, 0];
  bench.hub.treat = () => ({ pauseMs: 2 });
  bench.hub.onOpen = (change) => {
    open += change;
    most = Math.max(most, open);
  };
  await bench.pull([file]);
  expect(bench.isWhole(file)).toBe(true);
  // The server learns a little later than we do that an answer has ended.
  expect(most).toBeGreaterThanOrEqual(3);
  const ranges = bench.hub.seen.map(({ headers }) => headers.range);
  expect(ranges).toHaveLength(7);
  expect(ranges).toContain(`bytes=${6 * MIB}-${6 * MIB + 6}`);
}, 30_000);

describe("a cut connection", () => {
  test("is gone on with where it was cut, at every tenth of the file", async () => {
    await using bench = await PullBench.start();
    const size = 1_000_003;
    const file = bench.hub.add("model-Q4_0.gguf", size);
    const cuts = Array.from({ length: 9 }, (_, i) => Math.floor((size * (i + 1)) / 10));
    bench.hub.treat = (_, count) => (count < cuts.length ? { cutAt: cuts[count] ?? 0 } : {});
    await bench.pull([file], { puller: bench.puller({ patience: NINE }) });
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
    expect((await new Store(bench.models.path).list()).models).toEqual([]);
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
    const file = bench.hub.add("model-Q4_0.gguf", 1_000_000);
    bench.hub.treat = (_, count) => (count === 0 ? { cutAt: 600_000 } : { status: 503 });
    await failing(bench.pull([file]));
    bench.hub.treat = () => ({ etag: '"another"' });
    await bench.pull([file]);
    expect(bench.isWhole(file)).toBe(true);
    expect(bench.hub.seen.at(-1)?.headers.range).toBe("bytes=0-999999");
  });

  test("and is by the hub's word not the manifest's is refused", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    bench.hub.treat = () => ({ headers: { "x-linked-etag": `"${"0".repeat(64)}"` } });
    expect((await failing(bench.pull([file]))).message).toContain("Register the model anew");
  });
});

describe("what is there already", () => {
  test("is verified once and then known", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    bench.models.write({ "hf/org/model/x": "x" });
    writeFileSync(bench.path(file.filename), bench.hub.files.get("/model-Q4_0.gguf") ?? "");
    const { files } = await bench.pull([file], { placedBy: "sync" });
    expect(files[0]).toMatchObject({ sha256: file.sha256, placed_by: "user" });
    expect(bench.hub.seen).toEqual([]);
  });

  test("and differs is a person's, and is left", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    bench.models.write({ "hf/org/model/model-Q4_0.gguf": "mine" });
    const error = await failing(bench.pull([file]));
    expect(error).toMatchObject({ code: "pull_conflict", status: 409 });
    expect(readFileSync(bench.path(file.filename), "utf8")).toBe("mine");
  });

  test("and was pulled is replaced by what the manifest names now", async () => {
    await using bench = await PullBench.start();
    await bench.pull([bench.hub.add("model-Q4_0.gguf", 1000)], { placedBy: "sync" });
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    await bench.pull([file], { placedBy: "sync" });
    expect(bench.isWhole(file)).toBe(true);
  });

  test("of a part that is shorter than its note says is worth nothing", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1_000_000);
    bench.hub.treat = (_, count) => (count === 0 ? { cutAt: 600_000 } : { status: 503 });
    await failing(bench.pull([file]));
    truncateSync(bench.path("model-Q4_0.gguf.part"), 1000);
    bench.hub.treat = () => ({});
    await bench.pull([file]);
    expect(bench.isWhole(file)).toBe(true);
  });

  test("under a name that differs in capitals only is another model's", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    await bench.pull([file]);
    const error = await failing(bench.pull([file], { manifest: { model: "hf/org/MODEL" } }));
    expect(error.message).toContain("belongs to the model hf/Org/Model");
  });

  test("as a file where the folder should be is told", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    bench.models.write({ "hf/org": "x" });
    expect((await failing(bench.pull([file]))).message).toContain("a file is there");
  });
});

describe("the files of a model", () => {
  test("are fetched by priority, those below zero one after the other", async () => {
    await using bench = await PullBench.start({ lanes: 1 });
    const names = ["a", "b", "c", "d"].map((name) => `${name}.json`);
    const files = [-2, 5, 0, 10].map((priority, i) =>
      bench.hub.add(names[i] ?? "", 10, { priority }),
    );
    await bench.pull(files);
    expect(bench.hub.seen.map(({ path }) => path)).toEqual([
      "/d.json",
      "/b.json",
      "/c.json",
      "/a.json",
    ]);
  });

  test("that are optional may be absent, the others may not", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000);
    const extra = {
      ...bench.hub.add("extra.json", 10, { optional: true }),
      url: `${bench.hub.url}/no`,
    };
    expect((await bench.pull([file, extra])).absent).toEqual(["extra.json"]);
    expect(bench.names()).toEqual(DONE);
    const needed = { ...extra, optional: false };
    expect(await failing(bench.pull([file, needed]))).toMatchObject({ code: "pull_not_found" });
  });

  test("that are empty, or of unknown size, are files too", async () => {
    await using bench = await PullBench.start();
    const empty = bench.hub.add("empty.txt", 0);
    const unknown = bench.hub.add("model-Q4_0.gguf", 200_000, { size_bytes: null });
    await bench.pull([empty, unknown]);
    expect(bench.isWhole(empty)).toBe(true);
    expect(bench.isWhole(unknown)).toBe(true);
  });
});

test("a pull that is aborted leaves a part, and its progress tells", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add("model-Q4_0.gguf", 2_000_000);
  const abort = new AbortController();
  bench.hub.treat = () => ({ silentAt: 500_000 });
  const puller = bench.puller();
  const pull = puller.pull({
    ...{ manifest: { ...EMPTY_MANIFEST, artifacts: [file] }, files: [file], quantization: null },
    ...{ placedBy: "user", signal: abort.signal },
  });
  for await (const now of pull.progress.watch(new AbortController().signal)) {
    if (now.bytes === 500_000) abort.abort(new Error("enough"));
  }
  expect((await failing(pull.result)).message).toBe("enough");
  const now = pull.progress.snapshot();
  expect(now).toMatchObject({ state: "failed", error: "enough", total_bytes: 2_000_000 });
  // What is kept counts, as it does when the pull is gone on with.
  expect(now).toMatchObject({ bytes: 500_000, files: [{ state: "failed", bytes: 500_000 }] });
  expect(existsSync(bench.path("model-Q4_0.gguf.part"))).toBe(true);
  expect(bench.names()).not.toContain("model-Q4_0.gguf.lock");
});

const EMPTY_MANIFEST = {
  ...{ model: "hf/Org/Model", repo: "Org/Model", revision: "main", format: null },
  ...{ quantization: null, origin_allowlist: [], peers: [], created_at: "" },
};

test("a models folder that leads nowhere is told", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add("model-Q4_0.gguf", 100);
  const root = bench.path("../../../nowhere");
  symlinkSync("/nonexistent/models", root);
  const error = await failing(bench.pull([file], { puller: bench.puller({ root }) }));
  expect(error).toMatchObject({ code: "pull_disk", message: expect.stringContaining("ENOENT") });
});

test("two pulls of the same file fetch it once", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add("model-Q4_0.gguf", 3_000_000);
  bench.hub.treat = () => ({ pauseMs: 1 });
  await Promise.all([bench.pull([file]), bench.pull([file]), bench.pull([file])]);
  expect(bench.isWhole(file)).toBe(true);
  expect(bench.hub.servedBytes).toBe(3_000_000);
});

test("two quantizations of a model are pulled side by side", async () => {
  await using bench = await PullBench.start();
  const a = bench.hub.add("m-Q4_0.gguf", 100_000, { quantization: "Q4_0" });
  const b = bench.hub.add("m-Q8_0.gguf", 100_000, { quantization: "Q8_0" });
  await Promise.all([bench.pull([a]), bench.pull([b])]);
  expect(bench.names()).toEqual(["m-Q4_0.gguf", "m-Q8_0.gguf", "manifest.json"]);
  const store = new Store(bench.models.path);
  expect((await store.find("Org/Model:Q8_0"))?.primary.name).toBe("m-Q8_0.gguf");
  expect((await store.list()).models).toHaveLength(1);
});

test("too little space is told with numbers, before anything is asked for", async () => {
  await using bench = await PullBench.start();
  const file = { ...bench.hub.add("model-Q4_0.gguf", 1000), size_bytes: 2 ** 52 };
  const error = await failing(bench.pull([file]));
  expect(error).toMatchObject({ code: "pull_disk_full" });
  expect(error.message).toMatch(/needs 4096 TiB in .* are free/);
  expect(bench.hub.seen).toEqual([]);
});

test("what sync began and was delisted is removed, a person's file beside it is not", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add("model-Q4_0.gguf", 500_000);
  bench.hub.treat = (_, count) => (count === 0 ? { cutAt: 300_000 } : { status: 503 });
  await failing(bench.pull([file], { placedBy: "sync" }));
  const store = new Store(bench.models.path);
  writeFileSync(bench.path("notes.txt"), "mine");
  await store.removeSynced("hf/Org/Model");
  expect(bench.names()).toEqual(["manifest.json.part", "notes.txt"]);
  await store.remove("hf/Org/Model");
  await failing(bench.pull([file], { placedBy: "sync" }));
  await store.removeSynced("hf/Org/Model");
  expect(bench.names()).toEqual([]);
});
