import { expect, test } from "bun:test";
import { unknownVariables } from "./unknownvariables.ts";

test("a variable that is no setting is told, with the one that was meant", () => {
  const env = {
    LLMLB_MODEL: "a.gguf",
    LLMLB_CONTEXT_OF_ALL: "1",
    LLMLB_PROT: "1",
    LLMLB_PORT: "1",
    LLMLB_ULR: "u",
    HOME: "/",
  };
  expect(unknownVariables(env)).toEqual([
    "LLMLB_CONTEXT_OF_ALL is set, but no setting has that name: llmlb --help lists them",
    "LLMLB_MODEL is set, but no setting has that name: did you mean LLMLB_MODELS?",
    "LLMLB_PROT is set, but no setting has that name: did you mean LLMLB_PORT?",
    "LLMLB_ULR is set, but no setting has that name: did you mean LLMLB_URL?",
  ]);
  expect(unknownVariables({ LLMLB_URL: "u", LLMLB_API_KEY: "k", LLM_MODELS_DIR: "m" })).toEqual([]);
});
