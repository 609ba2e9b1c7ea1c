import { expect, test } from "bun:test";
import { credentialOf } from "./credential.ts";

test.each<[string, Record<string, string>, string | undefined]>([
  ["a bearer token", { authorization: "Bearer k1" }, "k1"],
  ["a bearer token in any case", { authorization: "bEARER k1" }, "k1"],
  ["a bearer token with spaces around it", { authorization: "Bearer    k1  " }, "k1"],
  ["x-api-key", { "x-api-key": "k2" }, "k2"],
  ["a bearer token before x-api-key", { authorization: "Bearer k1", "x-api-key": "k2" }, "k1"],
  ["x-api-key before another scheme", { authorization: "Basic abc", "x-api-key": "k2" }, "k2"],
  ["all of another scheme", { authorization: "Basic abc" }, "Basic abc"],
  ["nothing", { accept: "*/*" }, undefined],
])("a request's credential is %s", (_, headers, credential) => {
  expect(credentialOf(new Headers(headers))).toBe(credential as string);
});
