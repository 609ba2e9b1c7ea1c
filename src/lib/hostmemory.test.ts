import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readHostMemory } from "./hostmemory.ts";

const GIB = 2 ** 30;
const KIB = { total: 24 * 2 ** 20, available: 15 * 2 ** 20 };
const MEMINFO = `MemTotal: ${KIB.total} kB\nMemFree: 9 kB\nMemAvailable: ${KIB.available} kB\n`;

/** What is read of a system with these files. */
function read(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), "llmlb-memory-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return readHostMemory(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("what is available counts, not what is free or all", () => {
  const memory = read({ "proc/meminfo": MEMINFO });
  expect(memory).toEqual({ total: 24 * GIB, available: 15 * GIB });
});

test("a limit of version 2 counts less what is used, without files that can be given up", () => {
  const group = "sys/fs/cgroup/a.slice/b.scope";
  const files = {
    "proc/meminfo": MEMINFO,
    "proc/self/cgroup": "0::/a.slice/b.scope\n",
    [`${group}/memory.max`]: "max\n",
    [`${group}/memory.high`]: `${4 * GIB}\n`,
    [`${group}/memory.current`]: `${2 * GIB}\n`,
    [`${group}/memory.stat`]: `anon 5\ninactive_file ${GIB}\n`,
  };
  expect(read(files)).toEqual({ total: 4 * GIB, available: 3 * GIB });
  const above = { "sys/fs/cgroup/a.slice/memory.max": `${2 * GIB}` };
  expect(read({ ...files, ...above })).toEqual({ total: 2 * GIB, available: 2 * GIB });
  const own = { "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": `${GIB}` };
  expect(read({ "proc/meminfo": MEMINFO, ...own })).toEqual({ total: GIB, available: GIB });
});

test("a limit of version 1 counts, also where the container sees only its own group", () => {
  const limited = (folder: string) => ({
    "proc/meminfo": MEMINFO,
    "proc/self/cgroup": "5:cpu:/\n4:memory:/docker/abc\n0::/\n",
    [`${folder}/memory.limit_in_bytes`]: `${1.5 * GIB}`,
    [`${folder}/memory.usage_in_bytes`]: `${GIB}`,
    [`${folder}/memory.stat`]: `inactive_file 0\ntotal_inactive_file ${GIB / 4}\n`,
  });
  for (const folder of ["sys/fs/cgroup/memory/docker/abc", "sys/fs/cgroup/memory"]) {
    expect(read(limited(folder))).toEqual({ total: 1.5 * GIB, available: 0.75 * GIB });
  }
  const unlimited = { "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n" };
  expect(read({ ...limited("x"), ...unlimited })?.available).toBe(15 * GIB);
});

test("another system tells nothing", () => expect(read({})).toBeUndefined());
