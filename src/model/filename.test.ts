import { expect, test } from "bun:test";
import { ggufStem, isGguf, localName, splitPartName, splitPartOf } from "./filename.ts";

test("the parts of a split file are known by their names", () => {
  const name = "big-Q4_K_M-00002-of-00003.gguf";
  expect(splitPartOf(name)).toEqual({ stem: "big-Q4_K_M", part: 2, parts: 3 });
  expect(splitPartName(name, 3)).toBe("big-Q4_K_M-00003-of-00003.gguf");
  expect(ggufStem(name)).toBe("big-Q4_K_M");
  expect(splitPartOf("big-00004-of-00003.gguf")).toBeUndefined();
  expect(splitPartOf("big-00000-of-00003.gguf")).toBeUndefined();
  expect(splitPartOf("big-00001-of-00003.safetensors")).toBeUndefined();
});

test("endings and folders", () => {
  expect(isGguf("a.GGUF")).toBe(true);
  expect(isGguf(".gguf")).toBe(false);
  expect(isGguf("a.gguf.part")).toBe(false);
  expect(localName("UD-Q4/a.gguf")).toBe("a.gguf");
  expect(localName("a.gguf")).toBe("a.gguf");
});
