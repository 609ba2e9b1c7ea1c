import { expect, test } from "bun:test";
import { ApiError, errorBody, errorFrame } from "./error.ts";
import { dialectOf } from "./route.ts";

const error = new ApiError("timeout", "Too slow.", { param: "model" });

test("dialectOf tells the APIs apart by path", () => {
  expect(dialectOf("/v1/messages")).toBe("anthropic");
  expect(dialectOf("/v1/messages/count_tokens")).toBe("anthropic");
  expect(dialectOf("/v1/responses")).toBe("responses");
  expect(dialectOf("/v1/messagesx")).toBe("openai");
  expect(dialectOf("/v1/chat/completions")).toBe("openai");
  for (const name of ["chat", "generate", "embed", "show", "tags", "pull", "blobs/sha256:0"]) {
    expect(dialectOf(`/api/${name}`)).toBe("ollama");
  }
  for (const name of ["endpoints", "chatx", "chat/x", "models/pull", "system"]) {
    expect(dialectOf(`/api/${name}`)).toBe("openai");
  }
});

test("errorBody has the shape of its dialect", () => {
  expect(errorBody(error, "openai")).toEqual({
    error: { message: "Too slow.", type: "server_error", code: "timeout", param: "model" },
  });
  expect(errorBody(error, "anthropic", "r1")).toEqual({
    type: "error",
    error: { type: "timeout_error", message: "Too slow." },
    request_id: "r1",
  });
  expect(errorBody(error, "ollama")).toEqual({ error: "Too slow." });
});

test("errorFrame is one event of its dialect", () => {
  expect(errorFrame(error, "openai")).toMatch(/^data: \{"error":.*\}\n\n$/);
  expect(errorFrame(error, "responses")).toMatch(/^event: error\ndata: \{"type":"error",.*\}\n\n$/);
  expect(errorFrame(error, "anthropic")).toMatch(/^event: error\ndata: \{"type":"error",.*\}\n\n$/);
  expect(errorFrame(error, "ollama")).toBe('{"error":"Too slow."}\n');
});
