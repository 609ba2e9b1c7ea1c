import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MOUNTS, mountDisk } from "../../testkit/memorydisk.ts";
import { failing, PullBench } from "../../testkit/pullbench.ts";
import { testManifest } from "../../testkit/servers/files.ts";
import type { Artifact } from "../../wire/manifest.ts";
import { takeLock } from "../filelock.ts";
import { ModelStore } from "../modelstore.ts";

/** Starts a process that pulls. */
function startChild(root: string, files: Artifact[]) {
  return Bun.spawn([process.execPath, join(import.meta.dir, "../../testkit/pullchild.ts"), root], {
    stdin: new TextEncoder().encode(JSON.stringify(testManifest(files))),
    stdout: "pipe",
    stderr: "inherit",
  });
}

async function answerOf(child: ReturnType<typeof startChild>): Promise<string> {
  return (await new Response(child.stdout).text()).trim();
}

describe("a process that is killed while it pulls", () => {
  test("leaves nothing, a part to go on with, or the whole file, at 20 random points", async () => {
    await using bench = await PullBench.start();
    const size = 8_000_000;
    const file = bench.hub.add("model-Q4_0.gguf", size);
    const outcomes: string[] = [];
    for (let i = 0; i < 20; i += 1) {
      rmSync(bench.folder, { recursive: true, force: true });
      bench.hub.treat = () => ({ pauseMs: 0.2 });
      // Killed once so much was sent; the last points are about when it ends.
      const point = bench.hub.servedBytes + Math.floor(Math.random() * size * 1.02);
      const child = startChild(bench.models.path, [file]);
      while (child.exitCode === null && bench.hub.servedBytes < point) await Bun.sleep(1);
      child.kill("SIGKILL");
      await child.exited;
      outcomes.push(outcome(bench, file));
      const { models } = await new ModelStore(bench.models.path).list();
      expect(models.map(({ primary }) => primary.sizeBytes)).toEqual(
        existsSync(bench.path(file.filename)) ? [size] : [],
      );
      bench.hub.treat = () => ({});
      await bench.pull([file], { placedBy: "sync" });
      expect(bench.isWhole(file)).toBe(true);
      expect(leftovers(bench)).toEqual([]);
    }
    expect(outcomes.every((found) => ["nothing", "part", "whole"].includes(found))).toBe(true);
    expect(outcomes).toContain("part");
  }, 120_000);
});

function outcome(bench: PullBench, file: Artifact): string {
  if (existsSync(bench.path(file.filename))) return bench.isWhole(file) ? "whole" : "wrong";
  const part = `${bench.path(file.filename)}.part`;
  return existsSync(part) && statSync(part).size > 0 ? "part" : "nothing";
}

/** Drafts of small files that a kill interrupted may stay; nothing else. */
function leftovers(bench: PullBench): string[] {
  const known = ["manifest.json", "model-Q4_0.gguf"];
  return bench.names().filter((name) => !known.includes(name) && !name.endsWith(".tmp"));
}

test("two processes that pull the same file fetch it once", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add("model-Q4_0.gguf", 8_000_000);
  bench.hub.treat = () => ({ pauseMs: 1 });
  const children = [0, 1].map(() => startChild(bench.models.path, [file]));
  expect(await Promise.all(children.map(answerOf))).toEqual(["done", "done"]);
  expect(bench.isWhole(file)).toBe(true);
  expect(bench.hub.servedBytes).toBe(8_000_000);
  expect(leftovers(bench)).toEqual([]);
}, 30_000);

test("a process that is killed is followed by the one that waits", async () => {
  await using bench = await PullBench.start();
  const file = bench.hub.add("model-Q4_0.gguf", 8_000_000);
  bench.hub.treat = () => ({ pauseMs: 5 });
  const first = startChild(bench.models.path, [file]);
  while (bench.hub.servedBytes < 2_000_000) await Bun.sleep(5);
  const waiting = bench.pull([file], { placedBy: "sync" });
  first.kill("SIGKILL");
  bench.hub.treat = () => ({});
  await waiting;
  expect(bench.isWhole(file)).toBe(true);
}, 30_000);

describe("a disk", () => {
  test.skipIf(!MOUNTS)(
    "that is too small is noticed before anything is fetched",
    async () => {
      await using bench = await PullBench.start();
      using disk = mountDisk("size=96m");
      const file = bench.hub.add("model-Q4_0.gguf", 48 * 1024 * 1024);
      const child = startChild(disk.path, [file]);
      expect(await answerOf(child)).toBe("pull_disk_full");
      expect(bench.hub.seen).toEqual([]);
    },
    30_000,
  );

  test.skipIf(!MOUNTS)(
    "that runs full in the middle is given back what was taken",
    async () => {
      await using bench = await PullBench.start();
      using disk = mountDisk("size=96m");
      const file = bench.hub.add("model-Q4_0.gguf", 24 * 1024 * 1024);
      bench.hub.treat = () => ({ pauseMs: 1 });
      const child = startChild(disk.path, [file]);
      while (bench.hub.servedBytes === 0) await Bun.sleep(1);
      // Somebody else takes the rest, but for a little.
      writeFileSync(join(disk.path, "else"), Buffer.alloc(84 * 1024 * 1024));
      expect(await answerOf(child)).toBe("pull_disk_full");
      expect(readdirSync(join(disk.path, "hf/org/model"))).toEqual(["manifest.json.part"]);
      rmSync(join(disk.path, "else"));
      bench.hub.treat = () => ({});
      expect(await answerOf(startChild(disk.path, [file]))).toBe("done");
    },
    30_000,
  );

  test.skipIf(process.platform === "win32")(
    "that takes no more of a file is told",
    async () => {
      await using bench = await PullBench.start();
      const file = bench.hub.add("model-Q4_0.gguf", 4_000_000);
      const script = join(import.meta.dir, "../../testkit/pullchild.ts");
      // A limit on the size of files stands in for a quota: writing beyond it fails with EFBIG.
      const command = `trap '' XFSZ; ulimit -f 2000; exec "$0" "$1" "$2"`;
      const child = Bun.spawn(
        ["bash", "-c", command, process.execPath, script, bench.models.path],
        {
          stdin: new TextEncoder().encode(JSON.stringify(testManifest([file]))),
          stdout: "pipe",
        },
      );
      expect(await answerOf(child)).toBe("pull_disk_full");
      expect(bench.names()).toEqual(["manifest.json.part"]);
    },
    30_000,
  );
});

describe("a lock", () => {
  const never = new AbortController().signal;
  const lockPath = (bench: PullBench) => join(bench.models.path, "x.lock");
  const owner = { token: "t", host: "elsewhere", pid: 1, started: "1" };

  test("of a process that is gone is taken over, and only by one", async () => {
    await using bench = await PullBench.start();
    const gone = Bun.spawn(["true"]);
    await gone.exited;
    const { hostname } = await import("node:os");
    const text = JSON.stringify({ ...owner, host: hostname(), pid: gone.pid });
    writeFileSync(lockPath(bench), text);
    let holders = 0;
    let most = 0;
    const one = async () => {
      const lock = await takeLock(lockPath(bench), { signal: never });
      holders += 1;
      most = Math.max(most, holders);
      await Bun.sleep(1);
      holders -= 1;
      await lock.release();
    };
    await Promise.all([one(), one(), one()]);
    expect(most).toBe(1);
    expect(existsSync(lockPath(bench))).toBe(false);
  });

  test("of another process with the same number is taken over", async () => {
    await using bench = await PullBench.start();
    const { hostname } = await import("node:os");
    const own = { ...owner, host: hostname(), pid: process.pid };
    writeFileSync(lockPath(bench), JSON.stringify(own));
    if (process.platform !== "linux") return;
    const lock = await takeLock(lockPath(bench), { signal: never });
    expect(await lock.isHeld()).toBe(true);
    await lock.release();
  });

  test("of another host is waited for, until that is silent for long", async () => {
    await using bench = await PullBench.start();
    const { utimesSync } = await import("node:fs");
    writeFileSync(lockPath(bench), JSON.stringify(owner));
    let waits = 0;
    const onWait = () => {
      waits += 1;
      const old = new Date(Date.now() - 60_000);
      utimesSync(lockPath(bench), old, old);
    };
    const lock = await takeLock(lockPath(bench), { signal: never, onWait });
    expect(waits).toBe(1);
    writeFileSync(lockPath(bench), JSON.stringify(owner));
    expect(await lock.isHeld()).toBe(false);
    await lock.release();
    expect(existsSync(lockPath(bench))).toBe(true);
  });

  test("is waited for no longer than the signal allows", async () => {
    await using bench = await PullBench.start();
    const lock = await takeLock(lockPath(bench), { signal: never });
    const abort = new AbortController();
    const second = takeLock(lockPath(bench), {
      signal: abort.signal,
      onWait: () => abort.abort(new Error("enough")),
    });
    expect(await second.catch((error: unknown) => String(error))).toContain("enough");
    await lock.release();
  });
});

describe("a models folder that may not be written", () => {
  test.skipIf(!MOUNTS)("has what is whole there, and says the rest", async () => {
    await using bench = await PullBench.start();
    const file = bench.hub.add("model-Q4_0.gguf", 1000, { quantization: "Q4_0" });
    const other = bench.hub.add("model-Q8_0.gguf", 1000, { quantization: "Q8_0" });
    await bench.pull([file]);
    writeFileSync(bench.path("notes.gguf"), bench.hub.files.get("/model-Q8_0.gguf") ?? "");
    const seen = bench.hub.seen.length;
    const root = bench.models.path;
    Bun.spawnSync(["mount", "--bind", root, root]);
    Bun.spawnSync(["mount", "-o", "remount,ro,bind", root]);
    try {
      const { files } = await bench.pull([file]);
      expect(files).toMatchObject([{ name: "model-Q4_0.gguf", sha256: file.sha256 }]);
      // A file that nobody has verified yet is, and is not noted.
      const mine = { ...other, filename: "notes.gguf" };
      expect((await bench.pull([file, mine])).files).toHaveLength(2);
      expect(bench.hub.seen).toHaveLength(seen);
      const lacking = await failing(bench.pull([other]));
      expect(lacking).toMatchObject({
        code: "pull_disk",
        message: expect.stringContaining("EROFS"),
      });
      const store = new ModelStore(root);
      const { signal } = new AbortController();
      const removals = [
        store.remove("hf/Org/Model"),
        store.removeQuantization("hf/Org/Model", "Q4_0", signal),
      ];
      for (const removal of removals) {
        const error = await failing(removal);
        expect(error).toMatchObject({ status: 409, code: "models_folder_read_only" });
        expect(error.message).toContain(`the models folder ${root} cannot be written (EROFS)`);
      }
    } finally {
      Bun.spawnSync(["umount", root]);
    }
  });
});
