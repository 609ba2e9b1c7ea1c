import { expect, test } from "bun:test";
import { secretMatcher } from "./secret.ts";

test("only the secret itself matches, whatever the length", () => {
  const matches = secretMatcher("s3cret");
  expect(matches("s3cret")).toBe(true);
  for (const credential of ["", "s3cre", "s3cret ", "S3cret", "x".repeat(10_000)]) {
    expect(matches(credential)).toBe(false);
  }
});
