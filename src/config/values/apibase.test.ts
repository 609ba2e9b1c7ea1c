import { expect, test } from "bun:test";
import { apiBase } from "./apibase.ts";

const CHAT = "/v1/chat/completions?x=1";

test.each([
  ["http://gpu1:8080", "http://gpu1:8080/v1/chat/completions?x=1"],
  ["http://v1", "http://v1/v1/chat/completions?x=1"],
  ["http://gpu1:8080/v1//", "http://gpu1:8080/v1/chat/completions?x=1"],
  ["https://a.example/openai/v1", "https://a.example/openai/v1/chat/completions?x=1"],
  ["https://a.example/api/paas/v4", "https://a.example/api/paas/v4/chat/completions?x=1"],
  ["https://a.example/api/v3/", "https://a.example/api/v3/chat/completions?x=1"],
  ["https://a.example/v1beta/openai", "https://a.example/v1beta/openai/chat/completions?x=1"],
  ["https://a.example/v1/openai", "https://a.example/v1/openai/chat/completions?x=1"],
  ["https://a.example/v100x", "https://a.example/v100x/v1/chat/completions?x=1"],
  ["http://v4", "http://v4/v1/chat/completions?x=1"],
  ["http://v4:80", "http://v4:80/v1/chat/completions?x=1"],
])("a base that ends in a version is taken as given: %s", (base, url) => {
  expect(apiBase(base).urlOf(CHAT)).toBe(url);
});

test("paths outside of the API stay as they are", () => {
  expect(apiBase("https://a.example/v4").urlOf("/api/version")).toBe(
    "https://a.example/v4/api/version",
  );
  expect(apiBase("https://a.example/v1beta").urlOf("/models/g:generateContent")).toBe(
    "https://a.example/v1beta/models/g:generateContent",
  );
});
