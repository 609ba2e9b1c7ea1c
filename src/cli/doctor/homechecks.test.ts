import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryHome } from "../../testkit/command.ts";
import { MOUNTS, mountDisk } from "../../testkit/memorydisk.ts";
import { checkDataFolder, checkDisk } from "./homechecks.ts";

const PROBLEM = { subject: "Home", state: "problem" } as const;

test("a data folder that is there, or can be made, is fine; a file is none", () => {
  using home = temporaryHome();
  expect(checkDataFolder(home.path)).toMatchObject({ state: "ok" });
  expect(checkDataFolder(join(home.path, "new", "one"))).toMatchObject({ state: "ok" });
  writeFileSync(join(home.path, "file"), "");
  const { state, text } = checkDataFolder(join(home.path, "file"));
  expect(state).toBe("problem");
  expect(text).toContain("it is a file, not a folder. Mend that, or choose another folder");
});

test.skipIf(!MOUNTS)("a read-only file system is told, and what to do", () => {
  using disk = mountDisk("ro");
  const finding = checkDataFolder(join(disk.path, "home"));
  const text = `${disk.path} cannot be written: the file system is read-only`;
  expect(finding).toMatchObject({ ...PROBLEM, text: expect.stringContaining(text) });
});

test.skipIf(!MOUNTS)("noexec matters where libraries are loaded from the data folder", () => {
  using disk = mountDisk("noexec");
  const home = join(disk.path, "home");
  expect(checkDataFolder(home)).toMatchObject({ state: "ok" });
  mkdirSync(join(home, "native", "plugins"), { recursive: true });
  const text = `lies on ${disk.path}, which is mounted noexec`;
  expect(checkDataFolder(home)).toMatchObject({ ...PROBLEM, text: expect.stringContaining(text) });
});

test.skipIf(!MOUNTS)("a disk without room, for bytes or for files, is a problem", () => {
  using small = mountDisk("size=8k");
  writeFileSync(join(small.path, "all"), new Uint8Array(8192));
  const full = {
    subject: "Disk",
    state: "problem",
    text: expect.stringMatching(/^0 B free: make/),
  };
  expect(checkDisk(join(small.path, "home"))).toMatchObject(full);
  using crowded = mountDisk("size=2G,nr_inodes=2");
  writeFileSync(join(crowded.path, "one"), "");
  const text = expect.stringContaining("no more files fit: remove some");
  expect(checkDisk(crowded.path)).toMatchObject({ state: "problem", text });
});
