import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../lib/log.ts";
import { Pins } from "./pins.ts";

const log = createLogger({ level: "silent" });
const home = mkdtempSync(join(tmpdir(), "llmlb-pins-"));
const path = join(home, "pins.json");
afterAll(() => rmSync(home, { recursive: true, force: true }));

const open = (...pinned: string[]) => new Pins({ home, pinned, log });

test("what was asked for holds after a restart, and over the settings", () => {
  expect(existsSync(path)).toBe(false);
  open("set").set({ id: "asked" }, true);
  open("set").set({ id: "set" }, false);
  const pins = open("set");
  expect(["asked", "set", "other"].map((id) => pins.isPinned({ id }))).toEqual([
    ...[true, false, false],
  ]);
  expect(open("other").isPinned({ id: "own", isPinned: true })).toBe(true);
});

test("what the settings say as well is not kept", () => {
  const pins = open("set");
  pins.set({ id: "set" }, true);
  pins.set({ id: "asked" }, false);
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ pins: {} });
});

test("a damaged file counts as none", () => {
  writeFileSync(path, "{");
  expect(open("set").isPinned({ id: "set" })).toBe(true);
});
