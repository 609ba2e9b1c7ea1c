import { type ZodType, z } from "zod";

/** Reads a JSON column; `otherwise` if it holds something else than it should. */
export function readJsonColumn<T>(text: string | null, schema: ZodType<T>, otherwise: T): T {
  if (text === null) return otherwise;
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? result.data : otherwise;
  } catch {
    return otherwise; // Damaged by hand; one broken note must not stop a start.
  }
}

/** A list of texts in a JSON column. */
export const StringList = z.array(z.string());
