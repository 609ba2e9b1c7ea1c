import { describe, expect, test } from "bun:test";
import { ApiError } from "../../wire/error.ts";
import { requireLimits } from "./limits.ts";

function errorOf(act: () => unknown): ApiError | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  return undefined;
}

const list = <T>(length: number, make: (index: number) => T) =>
  Array.from({ length }, (_, index) => make(index));
const nested = (depth: number): object => (depth === 0 ? {} : { items: nested(depth - 1) });
const optional = (count: number) => ({
  properties: Object.fromEntries(list(count, (index) => [`p${index}`, { type: "string" }])),
});
const format = (schema: object) => ({ type: "json_schema", json_schema: { name: "a", schema } });
const tool = (parameters: object) => ({ type: "function", function: { name: "f", parameters } });

describe("an engine is never given", () => {
  test.each([
    ["dry_sequence_breakers", { dry_sequence_breakers: list(100_000, String) }],
    ["dry_sequence_breakers", { dry_sequence_breakers: ["x".repeat(100_000)] }],
    ["logit_bias", { logit_bias: Object.fromEntries(list(100_000, (n) => [n, 1])) }],
    ["logit_bias", { logit_bias: list(100_000, (n) => [n, 1]) }],
    ["stop", { stop: list(100_000, String) }],
    ["stop", { stop: "x".repeat(100_000) }],
    ["samplers", { samplers: list(100_000, () => "top_k") }],
    ["tools", { tools: list(100_000, () => tool({})) }],
    ["n", { n: 100_000 }],
    ["n_probs", { n_probs: 100_000 }],
    ["grammar", { grammar: `root ::= ${"(".repeat(100_000)}` }],
    ["grammar", { grammar: `root ::= ${"(".repeat(101)}"a"${")".repeat(101)}` }],
    ["grammar", { grammar: list(2001, (n) => `r${n} ::= "a"`).join("\n") }],
    ["grammar", { grammar: `root ::= ${'"a"{2000} '.repeat(11)}` }],
    ["grammar", { grammar: `root ::= ${"[a-z]? ".repeat(500)}` }],
    ["grammar", { grammar: `root ::= "a"{${" ".repeat(60_000)}2000}` }],
    ["json_schema", { json_schema: { enum: list(100_000, String) } }],
    ["response_format.schema", { response_format: { schema: nested(65) } }],
    [
      "response_format.json_schema.schema",
      { response_format: format({ anyOf: list(65_536, () => ({ type: "string" })) }) },
    ],
    ["response_format.json_schema.schema", { response_format: format(optional(501)) }],
    ["response_format.json_schema.schema", { response_format: format({ const: "x".repeat(2e5) }) }],
    ["json_schema: minItems", { json_schema: { items: { type: "array", minItems: 100_000 } } }],
    ["tools.1.function.parameters", { tools: [tool({}), tool({ enum: list(100_000, String) })] }],
    ["tools", { tools: list(50, () => tool({ enum: list(900, String) })) }],
    [
      "tools.0.function.parameters",
      { tools: [tool({ properties: { a: { oneOf: list(65_536, () => ({})) } } })] },
    ],
  ])("too large a field: %s", (param, body) => {
    const error = errorOf(() => requireLimits(body));
    expect(error).toMatchObject({ status: 400, code: "limit_exceeded", param });
    expect(error?.message).toMatch(
      /`.*` has more.* than an engine takes: [\dIinfty]+, at most \d+ are/,
    );
  });

  test("a pattern that looks for the grammar's begin in all text so far", () => {
    for (const type of [2, 3]) {
      const body = { grammar_triggers: [{ type, value: "(.|\\n)*x" }] };
      expect(errorOf(() => requireLimits(body))).toMatchObject({ param: "grammar_triggers" });
    }
  });
});

test.each([
  { grammar: 'root ::= "((((" [(((] # ((((' },
  { grammar: `root ::= ${'"\\"'.repeat(20_000)}` },
  { grammar: `root ::= ${"[".repeat(60_000)}` },
  { grammar: 'root ::= "a"{ 1 , 20 } "{" [{]' },
  { grammar: `root ::= ${list(200, () => '("a" | "b"?)').join(" ")}` },
  { stop: ["a", "b"], dry_sequence_breakers: ["\n", ":"], logit_bias: [[1, false]], n: 4 },
  { response_format: format({ properties: { enum: { enum: list(1000, String) } } }) },
  { response_format: { type: "text" }, json_schema: null, tools: null, grammar: null },
  { tools: list(128, () => tool({ ...optional(40), required: ["p0"] })) },
  { json_schema: { default: { anyOf: list(5000, String) }, examples: list(5000, String) } },
])("what requests need is far from the limits: %#", (body) => {
  expect(errorOf(() => requireLimits(body))).toBeUndefined();
});
