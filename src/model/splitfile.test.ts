import { expect, test } from "bun:test";
import { firstPartOf, groupParts } from "./splitfile.ts";

const group = (...paths: string[]) => groupParts(paths, (path) => path);

test("the parts of a split file are one, in their order, wherever it lies", () => {
  const first = "x/m-Q8_0-00001-of-00002.gguf";
  const parts = [first, "x/m-Q8_0-00002-of-00002.gguf"];
  expect(group(...parts.toReversed(), "m-q4_k_m.gguf")).toEqual([
    { path: first, stem: "x/m-Q8_0", files: parts, quantization: "Q8_0", missing: [] },
    {
      ...{ path: "m-q4_k_m.gguf", stem: "m-q4_k_m", files: ["m-q4_k_m.gguf"] },
      ...{ quantization: "q4_k_m", missing: [] },
    },
  ]);
});

test("missing parts are named", () => {
  const [weights] = group("m-00002-of-00003.gguf");
  expect(weights?.files).toEqual(["m-00002-of-00003.gguf"]);
  expect(weights?.missing).toEqual(["m-00001-of-00003.gguf", "m-00003-of-00003.gguf"]);
});

test("a name that only looks like that of a part does not fill the memory", () => {
  const [weights] = group("m-00001-of-99999.gguf");
  expect(weights?.missing).toHaveLength(999);
  expect(firstPartOf("m-00004-of-00003.gguf")).toBe("m-00004-of-00003.gguf");
});
