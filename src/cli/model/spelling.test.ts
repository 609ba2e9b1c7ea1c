import { expect, test } from "bun:test";
import { withoutSpellings } from "./spelling.ts";

test("a name that comes in several spellings is shown once, as it came first", () => {
  const names = ["hf/acme/T-GGUF", "T-GGUF", "hf/acme/t-gguf", "t-gguf", "t"];
  expect(withoutSpellings(names)).toEqual(["hf/acme/T-GGUF", "T-GGUF", "t"]);
});
