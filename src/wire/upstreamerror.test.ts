import { describe, expect, test } from "bun:test";
import { readUpstreamError } from "./upstreamerror.ts";

const google = (code: number, status: string, message: string, details: object[] = []) => ({
  error: { code, message, status, details },
});
const RETRY = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "17.2s" };
const BAD_KEY = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" };

describe("readProviderError", () => {
  const cases: [
    string,
    number | undefined,
    unknown,
    Partial<ReturnType<typeof readUpstreamError>>,
  ][] = [
    [
      "OpenAI's",
      400,
      {
        error: {
          message: "Too long.",
          type: "invalid_request_error",
          param: "messages",
          code: "context_length_exceeded",
        },
      },
      {
        kind: "invalid_request",
        message: "Too long.",
        code: "context_length_exceeded",
        param: "messages",
      },
    ],
    [
      "OpenAI's, of a wrong key",
      401,
      {
        error: {
          message: "Incorrect API key",
          type: "invalid_request_error",
          param: null,
          code: "invalid_api_key",
        },
      },
      { kind: "unauthorized", code: "invalid_api_key", param: undefined },
    ],
    [
      "OpenAI's, of an unknown model",
      404,
      {
        error: { message: "No such model", type: "invalid_request_error", code: "model_not_found" },
      },
      { kind: "model_not_found" },
    ],
    [
      "OpenAI's, of an unknown route",
      404,
      { error: { message: "Unknown URL", type: "invalid_request_error", code: null } },
      { kind: "not_found", code: "invalid_request_error" },
    ],
    [
      "one whose type is general and status is not",
      409,
      { error: { message: "Busy", type: "conflict_error" } },
      { kind: "conflict", code: "conflict_error" },
    ],
    [
      "Anthropic's",
      529,
      { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
      { kind: "unavailable", message: "Overloaded", code: "overloaded_error" },
    ],
    [
      "Anthropic's inside a stream",
      undefined,
      { type: "error", error: { type: "rate_limit_error", message: "Slow down" } },
      { kind: "rate_limited" },
    ],
    [
      "Google's",
      429,
      google(429, "RESOURCE_EXHAUSTED", "Quota", [RETRY]),
      { kind: "rate_limited", message: "Quota", code: "resource_exhausted", retryAfterS: 18 },
    ],
    [
      "Google's in a list",
      400,
      [google(400, "INVALID_ARGUMENT", "Wrong field")],
      { kind: "invalid_request", message: "Wrong field", code: "invalid_argument" },
    ],
    [
      "Google's of a key that is none",
      400,
      google(400, "INVALID_ARGUMENT", "API key not valid.", [BAD_KEY]),
      { kind: "unauthorized", code: "api_key_invalid" },
    ],
    ["Google's inside a stream", 200, google(503, "UNAVAILABLE", "Later"), { kind: "unavailable" }],
    ["a code alone", undefined, { error: { code: 500, message: "x" } }, { kind: "upstream" }],
    [
      "Ollama's",
      404,
      { error: "model 'x' not found" },
      { kind: "not_found", message: "model 'x' not found", code: undefined },
    ],
    ["FastAPI's", 422, { detail: "no" }, { kind: "invalid_request", message: "no" }],
    ["a text", 500, "  broken\n", { kind: "upstream", message: "broken" }],
    ["a page", 502, "<html>Bad Gateway</html>", { message: "It did not say why." }],
    ["nothing", 503, undefined, { kind: "unavailable", message: "It did not say why." }],
    ["an empty object", 404, {}, { kind: "not_found" }],
  ];
  test.each(cases)("reads %s", (_name, status, json, expected) => {
    expect(readUpstreamError(status, json)).toMatchObject(expected);
  });

  test("keeps messages short", () => {
    expect(readUpstreamError(500, { error: "x".repeat(9000) }).message).toHaveLength(2000);
  });

  test.each([["__proto__"], ["constructor"], ["toString"]])("is not misled by %s", (type) => {
    expect(readUpstreamError(500, { error: { type, message: "m" } }).kind).toBe("upstream");
  });
});
