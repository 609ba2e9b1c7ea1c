/** A JSON schema, or a place where one may stand. */
export type Schema = Record<string, unknown>;

/** Keywords whose value is a schema, or a list of schemas. */
const SCHEMAS = [
  ...["items", "prefixItems", "additionalItems", "additionalProperties", "contains"],
  ...["anyOf", "oneOf", "allOf", "not", "if", "then", "else", "propertyNames"],
  ...["unevaluatedItems", "unevaluatedProperties"],
];

/** Keywords whose value is an object of schemas. */
const NAMED_SCHEMAS = [
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
];

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schemas directly inside a schema. Values of `enum`, `const`, `default` … are none. */
export function partsOf(schema: Schema): Schema[] {
  const plain = SCHEMAS.flatMap((key) => schema[key] ?? []);
  const named = NAMED_SCHEMAS.flatMap((key) => {
    const value = schema[key];
    return isObject(value) ? Object.values(value) : [];
  });
  return [...plain, ...named].filter(isObject);
}

/**
 * A schema in which `change` has replaced every schema inside it, and itself; the same object if
 * nothing was replaced.
 */
export function mapSchemas(schema: Schema, change: (schema: Schema) => Schema): Schema {
  const one = (value: unknown): unknown => (isObject(value) ? mapSchemas(value, change) : value);
  const own: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (SCHEMAS.includes(key)) own[key] = Array.isArray(value) ? kept(value, one) : one(value);
    else if (NAMED_SCHEMAS.includes(key) && isObject(value)) own[key] = keptObject(value, one);
    else own[key] = value;
  }
  return change(Object.keys(own).every((key) => own[key] === schema[key]) ? schema : own);
}

function kept(list: unknown[], change: (value: unknown) => unknown): unknown[] {
  const changed = list.map(change);
  return changed.every((value, index) => value === list[index]) ? list : changed;
}

function keptObject(object: Schema, change: (value: unknown) => unknown): Schema {
  const changed = Object.entries(object).map(([key, value]) => [key, change(value)] as const);
  return changed.every(([key, value]) => value === object[key])
    ? object
    : Object.fromEntries(changed);
}
