import { expect, test } from "bun:test";
import { schemaFault } from "./schema.ts";

const faultOf = (schema: object) => schemaFault(JSON.stringify(schema));

test("a schema of an object passes, whatever other words it has", () => {
  const schema = {
    type: "object",
    properties: {
      city: { type: ["string", "null"], minLength: 1 },
      days: { type: "array", items: { type: "integer" } },
      any: true,
    },
    required: ["city"],
    additionalProperties: false,
  };
  expect(faultOf(schema)).toBeUndefined();
});

test("the first thing that is wrong is told with its place", () => {
  expect(schemaFault('{\n  "type": "object",\n}')).toMatchObject({ kind: "syntax", line: 3 });
  expect(schemaFault("[]")).toEqual({ kind: "not_object", path: "" });
  expect(faultOf({ type: "array" })).toEqual({ kind: "type", path: "type" });
  const properties = { a: { type: "text" } };
  expect(faultOf({ type: "object", properties })).toEqual({
    ...{ kind: "type", path: "properties.a.type" },
  });
  expect(faultOf({ type: "object", required: ["b"] })).toEqual({
    ...{ kind: "unknown_required", path: "required", name: "b" },
  });
  expect(faultOf({ type: "object", properties: { a: { items: 1 } } })).toEqual({
    ...{ kind: "items", path: "properties.a.items" },
  });
});

test("a schema that is nested without end is refused, not followed", () => {
  const items = `${'{"items":'.repeat(5000)}{}${"}".repeat(5000)}`;
  const deep = `{"type":"object","properties":{"a":${items}}}`;
  expect(schemaFault(deep)?.kind).toBe("not_object");
});
