import { type ZodType, z } from "zod";

/** What a value of config.json is, as a JSON schema: for editors. */
export type Shape = Record<string, unknown>;

/** A text that is not empty. */
export const TEXT_SHAPE: Shape = { type: "string", minLength: 1 };
/** A list of texts, or a text with commas between them. */
export const TEXTS_SHAPE: Shape = {
  anyOf: [TEXT_SHAPE, { type: "array", items: { type: "string" } }],
};

/**
 * A schema for a value that is text or a value of config.json. `read` returns undefined for a wrong
 * one, which is refused with the message `expected`.
 */
export function valueSchema<T>(
  expected: string,
  read: (value: unknown) => T | undefined,
  shape: Shape = TEXT_SHAPE,
): ZodType<T> {
  const schema = z.unknown().transform((value, ctx) => {
    const result = read(value);
    if (result !== undefined) return result;
    ctx.addIssue(expected);
    return z.NEVER;
  });
  return schema.meta({ shape });
}

/** What the objects are that a schema of zod reads. */
export function objectShape(schema: ZodType): Shape {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
  return shape;
}

/** What a value is that a schema of `valueSchema` or `listOf` reads. */
export function shapeOf(schema: ZodType): Shape {
  const { shape } = schema.meta() ?? {};
  return typeof shape === "object" && shape !== null ? { ...shape } : {};
}

/**
 * A schema for a list: of config.json, or text that holds a JSON list or items between commas.
 * `read` returns a message instead of a wrong item, `check` one for items that conflict.
 */
export function listOf<T extends object>(
  read: (value: unknown) => T | string,
  check: (items: T[]) => string | undefined = () => undefined,
  item: Shape = TEXT_SHAPE,
): ZodType<T[]> {
  const schema = z.unknown().transform((value, ctx) => {
    const given = typeof value === "string" ? (parseJsonList(value) ?? splitList(value)) : value;
    const items: T[] = [];
    for (const item of Array.isArray(given) ? given : [given]) {
      const result = read(item);
      if (typeof result === "string") {
        ctx.addIssue({ code: "custom", message: result, params: { item } });
        return z.NEVER;
      }
      items.push(result);
    }
    const conflict = check(items);
    if (conflict !== undefined) ctx.addIssue(conflict);
    return items;
  });
  return schema.meta({ shape: { anyOf: [item, { type: "array", items: item }] } });
}

/** A list, or an object with the items by their names. */
export function listOrNamed(list: ZodType): Shape {
  const { anyOf = [] } = shapeOf(list) as { anyOf?: Shape[] };
  return { anyOf: [{ type: "object", additionalProperties: anyOf[0] }, ...anyOf] };
}

/** The words that a setting of a few words can be; none for all others. */
export function choicesOf(schema: ZodType): readonly string[] {
  const { enum: words } = shapeOf(schema);
  return Array.isArray(words) ? words.map(String) : [];
}

/** The list in a text that is a JSON list; undefined for any other text. */
export function parseJsonList(given: string): unknown[] | undefined {
  if (!given.trimStart().startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(given);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // Read as plain text, which fails with the message of what is expected.
  }
}

function splitList(given: string): string[] {
  return given
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
