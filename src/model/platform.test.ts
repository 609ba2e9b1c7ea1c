import { expect, test } from "bun:test";
import { fitsPlatform } from "./platform.ts";

test("files for one platform are of no use on the others", () => {
  expect(fitsPlatform("model.metal.bin", "darwin")).toBe(true);
  expect(fitsPlatform("model.metal.bin", "linux")).toBe(false);
  expect(fitsPlatform("model.directml.bin", "win32")).toBe(true);
  expect(fitsPlatform("model.dml.bin", "darwin")).toBe(false);
  expect(fitsPlatform("model.gguf", "linux")).toBe(true);
});
