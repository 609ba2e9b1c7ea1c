import type { z } from "zod";

/** A field that may be left out; null, which many write for it, means the same. */
export function absent<T extends z.ZodType>(schema: T) {
  const read = schema.nullish().transform((value) => value ?? undefined);
  return read.optional();
}
