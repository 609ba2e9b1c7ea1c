import { expect, test } from "bun:test";
import { engineError } from "./error.ts";

const failure = (message: string, status = 500) =>
  engineError(JSON.stringify({ error: { message, type: "server_error", code: status } }), status);

test.each([
  ["Failed to parse messages: Missing 'role' in message: {}", "messages"],
  ["Failed to parse tools: Missing tool type: 7; tools = [\n  7\n]", "tools"],
  ["'messages' is required", null],
  ['"prompt" must not be empty', null],
  ["Invalid base64 value", null],
  ["audio input is not supported - hint: you may need to provide the mmproj", null],
  ["Unknown reasoning format: nothing", null],
  ["[json.exception.type_error.302] type must be string, but is number", null],
])("llama.cpp's %p is a fault of the request", (message, param) => {
  expect(failure(message)).toMatchObject({ status: 400, code: "invalid_request", param });
});

test("other failures of llama.cpp stay its own", () => {
  expect(failure("Compute error.")).toMatchObject({ status: 500, code: "internal" });
  const output = "The model produced output that does not match the expected format";
  expect(failure(output).status).toBe(500);
});

test("a message names its field and tells people only what they understand", () => {
  const text = "Field 'top_p': [json.exception.type_error.302] type must be number, but is string";
  const error = failure(text, 400);
  expect(error.param).toBe("top_p");
  expect(error.message).toBe("Field 'top_p': type must be number, but is string");
  const tools = failure("Failed to parse tools: Missing tool type: 7; tools = [\n  7\n]");
  expect(tools.message).toBe("Failed to parse tools: Missing tool type: 7");
  const part = failure("unsupported content[].type", 400);
  expect(part.message).toContain("send files as text");
  const picture = failure("Failed to load image or audio file", 400);
  expect(picture.message).toContain("base64 of a PNG");
  const file = failure("file:// URLs are not allowed unless --media-path is specified", 400);
  expect(file.message).not.toContain("--media-path");
  expect(failure("Invalid uri format: data:text/plain", 400).message).toContain("data:image/png");
});
