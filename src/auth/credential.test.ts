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

test.each<[string, Record<string, string>, string | undefined]>([
  ["Google's header", { "x-goog-api-key": "k3" }, "k3"],
  ["Azure's header", { "api-key": "k4" }, "k4"],
  ["the password of Basic", { authorization: `Basic ${btoa("me:k5")}` }, "k5"],
  ["the user of Basic without a password", { authorization: `basic ${btoa("k6:")}` }, "k6"],
])("it may be %s", (_, headers, credential) => {
  expect(credentialOf(new Headers(headers))).toBe(credential as string);
});

test("it may stand in the query, as Google's clients put it", () => {
  const url = "http://h/v1/chat/completions?alt=sse&key=k%207";
  expect(credentialOf(new Headers(), url)).toBe("k 7");
  expect(credentialOf(new Headers({ "x-api-key": "k1" }), url)).toBe("k1");
  expect(credentialOf(new Headers(), "http://h/v1/models?monkey=1")).toBeUndefined();
});
