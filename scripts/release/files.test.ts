import { expect, test } from "bun:test";
import { releaseFiles, VARIANTS, variantOf } from "./files.ts";

test("each executable of a release has its own name, with the version in it", () => {
  const { executables } = releaseFiles("1.2.3");
  expect(executables).toEqual({
    "linux-x64": "llmlb-1.2.3-linux-x64",
    "linux-x64-cuda": "llmlb-1.2.3-linux-x64-cuda",
    "linux-arm64": "llmlb-1.2.3-linux-arm64",
    "darwin-arm64": "llmlb-1.2.3-darwin-arm64",
    "windows-x64": "llmlb-1.2.3-windows-x64.exe",
  });
});

test("a variant is found by its name, another name is refused with those that there are", () => {
  for (const variant of VARIANTS) expect(variantOf(variant.name)).toBe(variant);
  expect(() => variantOf("plan9-mips")).toThrow(/plan9-mips is no platform .* linux-x64-cuda/);
});
