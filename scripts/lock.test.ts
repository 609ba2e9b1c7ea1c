import { expect, test } from "bun:test";
import { join } from "node:path";
import { completed, type Lock, missingFrom } from "./lock.ts";

test("package-lock.json has an entry for the packages of every platform", async () => {
  const lock: Lock = await Bun.file(join(import.meta.dir, "../package-lock.json")).json();
  const missing = [...missingFrom(lock).keys()];
  if (missing.length > 0) throw new Error(`run scripts/lock.ts: no entry for ${missing}`);
});

test("a missing package gets its platform from its name", () => {
  const optionalDependencies = { "@a/cli-linux-x64-musl": "1.0.0", "@a/cli-win32-arm64": "1.0.0" };
  const lock = completed({
    packages: {
      "node_modules/a": { version: "1.0.0", optionalDependencies },
      "node_modules/@a/cli-win32-arm64": { version: "1.0.0", integrity: "kept" },
    },
  });
  expect(missingFrom(lock).size).toBe(0);
  expect(lock.packages["node_modules/@a/cli-win32-arm64"]?.integrity).toBe("kept");
  expect(lock.packages["node_modules/@a/cli-linux-x64-musl"]).toEqual({
    version: "1.0.0",
    cpu: ["x64"],
    dev: true,
    libc: ["musl"],
    optional: true,
    os: ["linux"],
  });
});
