import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { describeError } from "./logerror.ts";

class Refusal extends Error {
  override name = "Refusal";
}

function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (thrown) {
    return thrown;
  }
}

test("an error that was expected is told by its message", () => {
  const cause = thrownBy(() => readFileSync("/nowhere/at/all"));
  expect(describeError(new Refusal("No.", { cause }))).toEqual({
    ...{ type: "Refusal", message: "No." },
    cause: { type: "Error", message: expect.stringContaining("/nowhere/at/all"), code: "ENOENT" },
  });
  expect(describeError("a text")).toBe("a text");
});

test("one that was not has its stack", () => {
  const bug = thrownBy(() => (undefined as unknown as { a: number }).a);
  expect(describeError(bug)).toMatchObject({ type: "TypeError", stack: expect.any(String) });
  expect(describeError(new Refusal("No.", { cause: bug }))).toMatchObject({
    cause: { stack: expect.any(String) },
  });
  const wrong = Object.assign(new TypeError("bad"), { code: "ERR_INVALID_ARG_TYPE" });
  expect(describeError(wrong)).toMatchObject({ stack: expect.any(String) });
});

test("causes that go round end", () => {
  const error = new Refusal("round");
  error.cause = error;
  expect(JSON.stringify(describeError(error)).length).toBeLessThan(500);
});
