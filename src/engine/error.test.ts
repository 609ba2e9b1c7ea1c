import { describe, expect, test } from "bun:test";
import { errorBody } from "../wire/error.ts";
import { engineError } from "./error.ts";

function llamaError(status: number, message: string, type: string) {
  return engineError(JSON.stringify({ error: { code: status, message, type } }), status);
}

describe("an engine's error", () => {
  test("keeps message and status, and has a code that is a string", () => {
    const error = llamaError(400, "max_tokens must be positive", "invalid_request_error");
    expect(error.status).toBe(400);
    expect(error.message).toBe("max_tokens must be positive");
    expect(error.code).toBe("invalid_request");
  });

  test("about a prompt beyond the context has OpenAI's code", () => {
    const error = llamaError(400, "request exceeds", "exceed_context_size_error");
    expect(error.code).toBe("context_length_exceeded");
  });

  test("about a prompt beyond the context keeps the numbers", () => {
    const told = { n_prompt_tokens: 900, n_ctx: 512 };
    const error = { code: 400, message: "long", type: "exceed_context_size_error", ...told };
    const made = engineError(JSON.stringify({ error }), 400);
    expect(errorBody(made, "openai")).toEqual({
      error: {
        ...{ message: "long", type: "invalid_request_error", code: "context_length_exceeded" },
        ...{ param: null, ...told },
      },
    });
  });

  test("about a text too long to embed is the client's, not the server's", () => {
    const message = "input (900 tokens) is too large to process. increase the physical batch size";
    const error = llamaError(500, message, "server_error");
    expect(error.status).toBe(400);
    expect(error.code).toBe("context_length_exceeded");
  });

  test("about something not supported has a status of its own", () => {
    expect(llamaError(501, "no", "not_supported_error")).toMatchObject({
      status: 501,
      code: "not_supported",
    });
  });

  test("that is no JSON is told by its status", () => {
    expect(engineError("<html>", 503).message).toContain("503");
    expect(engineError("<html>", 503).kind).toBe("unavailable");
  });
});
