import { describe, expect, test } from "bun:test";
import { BODIES } from "./bodies.ts";

const HELLO = { role: "user", content: "Hello" };
const IMAGE = { type: "image", source: { type: "base64", media_type: "image/png", data: "" } };

function issueOf(path: string, body: object): string | undefined {
  const result = BODIES[path]?.safeParse({ model: "a", ...body });
  if (result === undefined) throw new Error(`nothing is checked for ${path}`);
  return result.success ? undefined : result.error.issues[0]?.path.join(".");
}

const right: [string, object][] = [
  ["/v1/chat/completions", { messages: [HELLO] }],
  ["/v1/chat/completions", { messages: [HELLO], stop: null, tools: null, tool_choice: "auto" }],
  ["/v1/chat/completions", { messages: [HELLO], stop: ["a"], logit_bias: { "5": -1 } }],
  ["/v1/chat/completions", { messages: [HELLO], logit_bias: [[5, false]], unknown: 7 }],
  ["/v1/chat/completions", { messages: [HELLO], response_format: { type: "text" } }],
  [
    "/v1/chat/completions",
    { messages: [HELLO], response_format: { type: "json_schema", json_schema: { schema: {} } } },
  ],
  ["/v1/completions", { prompt: [1, 2], stop: "a" }],
  ["/v1/responses", { input: "Hello", instructions: null, tools: [{ type: "web_search" }] }],
  ["/v1/messages", { messages: [HELLO], system: [{ type: "text", text: "a" }] }],
  ["/v1/messages", { messages: [{ role: "user", content: [IMAGE, { type: "thinking" }] }] }],
  ["/v1/messages/count_tokens", { messages: [HELLO] }],
];

const wrong: [string, object, string][] = [
  ["/v1/chat/completions", { messages: [] }, "messages"],
  ["/v1/chat/completions", { messages: [HELLO], stop: 7 }, "stop"],
  ["/v1/chat/completions", { messages: [HELLO], logit_bias: { "5": "x" } }, "logit_bias"],
  ["/v1/chat/completions", { messages: [HELLO], response_format: "json" }, "response_format"],
  [
    "/v1/chat/completions",
    { messages: [HELLO], response_format: { type: "json_schema" } },
    "response_format",
  ],
  ["/v1/completions", { prompt: "a", grammar: 7 }, "grammar"],
  ["/v1/responses", { input: "a", instructions: 7 }, "instructions"],
  ["/v1/messages", { messages: "Hello" }, "messages"],
  ["/v1/messages", { messages: [{ role: "user", content: [{ type: "image" }] }] }, "messages"],
  ["/v1/messages", { messages: [HELLO], system: 7 }, "system"],
  ["/v1/messages", { messages: [HELLO], tools: [{}] }, "tools"],
  ["/v1/messages/count_tokens", { messages: [7] }, "messages"],
];

describe("a body", () => {
  test.each(right)("for %s may be %j", (path, body) => {
    expect(issueOf(path, body)).toBeUndefined();
  });

  test.each(wrong)("for %s may not be %j", (path, body, field) => {
    expect(issueOf(path, body)).toBe(field);
  });
});
