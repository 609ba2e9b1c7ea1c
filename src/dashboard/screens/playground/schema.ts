/** What is wrong with a text that should be a JSON Schema of an object. */
export type SchemaFault =
  | { kind: "syntax"; line: number; column: number; reason: string }
  /** `path` is where it is wrong, e.g. `properties.city.type`; "" is the whole. */
  | { kind: "not_object" | "type" | "properties" | "required" | "enum" | "items"; path: string }
  | { kind: "unknown_required"; path: string; name: string };

const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];
const DEPTH_MAX = 50;

/**
 * The first thing that is wrong with a schema, if anything is: 1. it is no JSON; 2. it is no object
 * whose `type` is `object`; 3. a `type`, `properties`, `required`, `enum` or `items` somewhere in
 * it is not as JSON Schema has it. Other words are left to the server.
 */
export function schemaFault(text: string): SchemaFault | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return syntaxFault(text, error);
  }
  if (!isObject(value)) return { kind: "not_object", path: "" };
  if (value.type !== "object") return { kind: "type", path: "type" };
  return faultIn(value, "", 0);
}

function faultIn(schema: Record<string, unknown>, path: string, depth: number): Fault {
  if (depth > DEPTH_MAX) return { kind: "not_object", path };
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  const { type, properties, required, items } = schema;
  const types = Array.isArray(type) ? type : [type];
  if (type !== undefined && !types.every((one) => TYPES.includes(String(one)))) {
    return { kind: "type", path: at("type") };
  }
  if (schema.enum !== undefined && !Array.isArray(schema.enum)) {
    return { kind: "enum", path: at("enum") };
  }
  if (properties !== undefined && !isObject(properties)) {
    return { kind: "properties", path: at("properties") };
  }
  const known = properties ?? {};
  if (required !== undefined) {
    const isList = Array.isArray(required) && required.every((one) => typeof one === "string");
    if (!isList) return { kind: "required", path: at("required") };
    const name = required.find((one) => !Object.hasOwn(known, one));
    if (name !== undefined) return { kind: "unknown_required", path: at("required"), name };
  }
  if (items !== undefined && !isObject(items)) return { kind: "items", path: at("items") };
  const below: [string, unknown][] = Object.entries(known).map(([name, value]) => [
    at(`properties.${name}`),
    value,
  ]);
  if (items !== undefined) below.push([at("items"), items]);
  for (const [place, value] of below) {
    if (typeof value === "boolean") continue;
    if (!isObject(value)) return { kind: "not_object", path: place };
    const fault = faultIn(value, place, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

type Fault = SchemaFault | undefined;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Engines tell the place in words of their own: Chromium and Firefox do, others may not. */
function syntaxFault(text: string, error: unknown): SchemaFault {
  const reason = error instanceof Error ? error.message : String(error);
  const position = /position (\d+)/.exec(reason)?.[1];
  const place = /line (\d+) column (\d+)/.exec(reason);
  const short = reason.replace(/^JSON(\.parse)?:?\s*|\s*(in JSON )?at (position|line) .*$/g, "");
  if (place !== null) {
    return { kind: "syntax", line: Number(place[1]), column: Number(place[2]), reason: short };
  }
  // Without a place it is the end: something is missing.
  const before = text.slice(0, position === undefined ? text.length : Number(position)).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  return { kind: "syntax", line: before.length, column, reason: short };
}
