import { expect, test } from "bun:test";
import { withoutOwnSecret } from "./upstreamerror.ts";

const clean = (text: string, headers?: Record<string, string>) =>
  withoutOwnSecret(Buffer.from(text), headers).toString();

test("a target's error does not repeat the key that it was called with", () => {
  const text = "Ungültig: sk-own-key, Bearer sk-own-key";
  expect(clean(text, { authorization: "Bearer sk-own-key" })).toBe("Ungültig: ***, Bearer ***");
  expect(clean("AIza12345 is bad", { "x-goog-api-key": "AIza12345" })).toBe("*** is bad");
  expect(clean("Basic dTpwYXNz", { authorization: "Basic dTpwYXNz" })).toBe("Basic ***");
});

test("anything else passes untouched", () => {
  const bytes = Buffer.from("model not found");
  expect(withoutOwnSecret(bytes, { authorization: "Bearer sk-own-key" })).toBe(bytes);
  expect(withoutOwnSecret(bytes, { authorization: "Bearer model" })).toBe(bytes);
  expect(withoutOwnSecret(bytes)).toBe(bytes);
});
