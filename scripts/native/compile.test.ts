import { expect, test } from "bun:test";
import { stepsDone } from "./compile.ts";

test("the progress of a build is read from Ninja's and make's lines", () => {
  expect(stepsDone("[20/80] Building CXX object a.cpp.o")).toBe(0.25);
  expect(stepsDone("[ 12%] Building CXX object a.cpp.o")).toBe(0.12);
  expect(stepsDone("[100%] Built target llmlb")).toBe(1);
  expect(stepsDone("a.cpp:12: warning: [12/13] is odd")).toBeUndefined();
});
