import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryHome } from "../../testkit/command.ts";
import { packageCommand, requireUnmanaged } from "./packagemanager.ts";

test("a package says how its program is updated", () => {
  using folder = temporaryHome();
  const program = join(folder.path, "bin/llmlb");
  const marker = join(folder.path, "share/llmlb/managed");
  expect(packageCommand(program)).toBeUndefined();
  mkdirSync(join(marker, ".."), { recursive: true });
  writeFileSync(marker, "\n");
  expect(packageCommand(program)).toBeUndefined();
  writeFileSync(marker, "brew upgrade llmlb\nmore\n");
  expect(packageCommand(program)).toBe("brew upgrade llmlb");
  expect(() => requireUnmanaged(program)).toThrow("updated with: brew upgrade llmlb");
});

test.each([
  "C:\\Users\\a\\AppData\\Local\\Microsoft\\WinGet\\Packages\\llmlb.llmlb_x\\llmlb.exe",
  "C:\\Users\\a\\AppData\\Local\\Microsoft\\WinGet\\Links\\llmlb.exe",
])("winget's is known by its folder: %s", (program) => {
  expect(packageCommand(program)).toBe("winget upgrade llmlb.llmlb");
});
