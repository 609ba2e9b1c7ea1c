import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { failing, PullBench } from "../../testkit/pullbench.ts";
import { ModelStore } from "../modelstore.ts";
import { listPendingPulls } from "../pendingpull.ts";

const MIB = 1024 * 1024;
const DONE = ["manifest.json", "model-Q4_0.gguf"];

test("a model is fetched, verified, recorded and found", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add("model-Q4_0.gguf", 300_000, { quantization: "Q4_0" });
  const { files } = await bench.pull([file]);
  expect(bench.isWhole(file)).toBe(true);
  expect(bench.names()).toEqual(DONE);
  expect(files).toMatchObject([{ name: "model-Q4_0.gguf", sha256: file.sha256 }]);
  const found = await new ModelStore(bench.models.path).find("Org/Model:Q4_0");
  expect(found).toMatchObject({ id: "hf/Org/Model", quantization: "Q4_0" });
  const offered = await new ModelStore(bench.models.path).verifiedFile(
    "hf/Org/Model",
    "model-Q4_0.gguf",
  );
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

test("a range that only trickles is asked for anew, from where it is", async () => {
  const options = { rampMs: 1, segmentBytes: MIB, slowMs: 200 };
  await using bench = await PullBench.start(options);
  const file = bench.hub.add("model-Q4_0.gguf", 3 * MIB);
  let trickles = 0;
  bench.hub.treat = ({ headers }) => {
    const isThird = headers.range?.startsWith(`bytes=${2 * MIB}-`) ?? false;
    if (!isThird) return {};
    trickles += 1;
    return { trickleAt: 2 * MIB + 65_536 };
  };
  await bench.pull([file]);
  expect(bench.isWhole(file)).toBe(true);
  expect(trickles).toBe(1);
  const last = bench.hub.seen.flatMap(({ headers }) => {
    return /^bytes=(\d+)-3145727$/.exec(headers.range ?? "")?.[1] ?? [];
  });
  expect(Number(last.at(-1))).toBeGreaterThan(2 * MIB);
}, 30_000);

test.each([
  ["of 255 bytes", `${"n".repeat(245)}-Q4_0.gguf`],
  ["in Chinese", `${"模".repeat(81)}-Q4_0.gguf`],
])("a file with a name %s is fetched, and gone on with", async (_, name) => {
  await using bench = await PullBench.start();
  const file = bench.hub.add(name, 1_000_000, {
    url: `${bench.hub.url}/${encodeURIComponent(name)}`,
  });
  bench.hub.treat = (_, count) => (count === 0 ? { cutAt: 600_000 } : { status: 503 });
  await failing(bench.pull([file]));
  expect(await listPendingPulls(bench.models.path)).toMatchObject([{ bytes: 600_000 }]);
  bench.hub.treat = () => ({});
  await bench.pull([file]);
  expect(bench.hub.seen.at(-1)?.headers.range).toBe("bytes=600000-999999");
  expect(bench.isWhole(file)).toBe(true);
  expect(bench.names()).toEqual(["manifest.json", name].sort());
  await new ModelStore(bench.models.path).remove("hf/Org/Model");
  expect(bench.names()).toEqual([]);
});

test("a name that the file system does not take is told", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add(`${"n".repeat(300)}.gguf`, 1000);
  const error = await failing(bench.pull([file]));
  expect(error).toMatchObject({ code: "pull_disk" });
  expect(error.message).toContain("the name is too long for this file system");
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
    await using bench = await PullBench.start({ parallel: 1 });
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
  const store = new ModelStore(bench.models.path);
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
  const store = new ModelStore(bench.models.path);
  writeFileSync(bench.path("notes.txt"), "mine");
  await store.removeSynced("hf/Org/Model");
  expect(bench.names()).toEqual(["manifest.json.part", "notes.txt"]);
  await store.remove("hf/Org/Model");
  await failing(bench.pull([file], { placedBy: "sync" }));
  await store.removeSynced("hf/Org/Model");
  expect(bench.names()).toEqual([]);
});
