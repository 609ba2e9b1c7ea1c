import { describe, expect, test } from "bun:test";
import { withEnforcedPatterns } from "./patterns.ts";

const DIGIT = { type: "string", pattern: "^\\d$" };
const AHEAD = { type: "string", pattern: "^(?=a)a$" };
const format = (schema: object) => ({ type: "json_schema", json_schema: { name: "a", schema } });
const tool = (parameters: object, strict?: boolean) => ({
  type: "function",
  function: { name: "f", parameters, strict },
});

/** All patterns in the JSON of a body. */
function patternsIn(body: object): string[] {
  return [...JSON.stringify(body).matchAll(/"pattern":"([^"]*)"/g)].map(([, text = ""]) => text);
}

describe("the patterns of schemas", () => {
  test("are written for the grammar wherever a schema can stand", () => {
    const schema = {
      properties: { a: DIGIT, pattern: DIGIT, b: { items: DIGIT, anyOf: [DIGIT] } },
      $defs: { c: { oneOf: [{ additionalProperties: DIGIT }] } },
      prefixItems: [DIGIT],
    };
    for (const body of [
      { json_schema: schema },
      { response_format: format(schema) },
      { response_format: { type: "json_object", schema } },
      { tools: [tool(schema)] },
    ]) {
      const patterns = patternsIn(withEnforcedPatterns(body));
      expect(patterns).toHaveLength(6);
      for (const pattern of patterns) expect(pattern).toBe("^[0-9]$");
    }
  });

  test("are none in values", () => {
    const schema = { enum: [{ pattern: "\\d" }], default: { pattern: "(?=a)" }, const: DIGIT };
    const body = { response_format: format(schema) };
    expect(withEnforcedPatterns(body)).toBe(body);
  });

  test("that cannot be enforced are refused by name", () => {
    const param = "tools.0.function.parameters";
    for (const [body, at] of [
      [{ response_format: format({ properties: { a: AHEAD } }) }, "response_format"],
      [{ json_schema: AHEAD }, "json_schema"],
      [{ tools: [tool({ properties: { a: AHEAD } }, true)] }, param],
    ] as const) {
      expect(() => withEnforcedPatterns(body)).toThrow("`^(?=a)a$`");
      expect(() => withEnforcedPatterns(body)).toThrow(`\`${at}\` cannot be enforced: it looks`);
    }
  });

  test("are removed from tools that are not strict, where the engine would fail", () => {
    const body = { tools: [tool({ properties: { a: AHEAD } })] };
    expect(withEnforcedPatterns(body)).toEqual({
      tools: [tool({ properties: { a: { type: "string" } } })],
    });
  });
});
