import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../src/lib/filedigest.ts";
import { sumsText } from "./sums.ts";

test("sums are what sha256sum reads", async () => {
  const folder = mkdtempSync(join(tmpdir(), "llmlb-sums-"));
  try {
    for (const name of ["b.txt", "a.txt"]) writeFileSync(join(folder, name), name);
    const files = ["b.txt", "a.txt"].map(async (name) => {
      return { name, sha256: (await digestOf(join(folder, name))).sha256 };
    });
    const text = sumsText(await Promise.all(files));
    expect(text).toMatch(/^[0-9a-f]{64} {2}a\.txt\n[0-9a-f]{64} {2}b\.txt\n$/);
    if (Bun.which("sha256sum") === null) return;
    writeFileSync(join(folder, "SHA256SUMS"), text);
    const check = () => Bun.spawnSync(["sha256sum", "-c", "SHA256SUMS"], { cwd: folder }).exitCode;
    expect(check()).toBe(0);
    writeFileSync(join(folder, "a.txt"), "changed");
    expect(check()).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
