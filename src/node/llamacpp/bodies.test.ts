import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ROUTE_LIST } from "../../wire/route.ts";
import { BODIES } from "./bodies.ts";

const HELLO = { role: "user", content: "Hello" };

function issueOf(path: string, body: object): string | undefined {
  const name = ROUTE_LIST.find((route) => route.path === path)?.name;
  const guarded = name === undefined ? undefined : BODIES[name];
  if (guarded === undefined) throw new Error(`nothing is checked for ${path}`);
  const result = guarded.schema.safeParse({ model: "a", ...body });
  if (guarded.accepts({ model: "a", ...body })) expect(result.success).toBe(true);
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
  ["/v1/embeddings", { input: "a", dimensions: null }],
  ["/v1/responses", { input: "Hello", temperature: null, max_output_tokens: 5 }],
  ["/v1/messages", { messages: [HELLO], max_tokens: 5 }],
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
  ["/v1/embeddings", { input: "a", dimensions: 8 }, "dimensions"],
  ["/v1/responses", { input: "a", max_output_tokens: 0 }, "max_output_tokens"],
  ["/v1/responses", { input: "a", grammar: 7 }, "grammar"],
  ["/v1/messages", { messages: [HELLO], temperature: -3 }, "temperature"],
  [
    "/v1/messages/count_tokens",
    { messages: [HELLO], chat_template_kwargs: 7 },
    "chat_template_kwargs",
  ],
];

describe("a body", () => {
  test.each(right)("for %s may be %j", (path, body) => {
    expect(issueOf(path, body)).toBeUndefined();
  });

  test.each(wrong)("for %s may not be %j", (path, body, field) => {
    expect(issueOf(path, body)).toBe(field);
  });
});

test("what passes the quick check of a route is taken by its schema, unchanged", () => {
  const number = fc.oneof(fc.integer(), fc.double());
  const value = fc.option(fc.oneof(number, fc.string(), fc.boolean(), fc.array(fc.anything())));
  const body = fc.record(
    {
      ...{ model: fc.oneof(fc.string(), value), stream: value, messages: value, input: value },
      ...{ temperature: value, max_tokens: value, stop: value, stream_options: value },
      ...{ max_output_tokens: value, grammar: value, logprobs: value, keep_alive: value },
    },
    { requiredKeys: ["model"] },
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(BODIES)), body, ({ schema, accepts }, json) => {
      if (!accepts(json)) return;
      accepted += 1;
      expect(schema.parse(json)).toEqual(json);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(20);
});
