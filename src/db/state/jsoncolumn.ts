import { type ZodType, z } from "zod";

/** Reads a JSON column; `fallback` if it is null, no JSON, or does not fit the schema. */
export function readJsonColumn<T>(text: string | null, schema: ZodType<T>, fallback: T): T {
  if (text === null) return fallback;
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? result.data : fallback;
  } catch {
    return fallback; // One value that somebody damaged by hand must not prevent a start.
  }
}

/** A list of strings in a JSON column. */
export const StringList = z.array(z.string());
