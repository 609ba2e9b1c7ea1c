import type { ZodType } from "zod";
import { parseFingerprint } from "../../lib/fingerprint.ts";
import { valueSchema } from "./schema.ts";

/** The SHA-256 fingerprint of a certificate; see `parseFingerprint`. */
export function certificateFingerprint(): ZodType<string> {
  const expected = "must be the SHA-256 fingerprint of a certificate such as sha256:9f86d0…";
  return valueSchema(expected, (value) =>
    typeof value === "string" ? parseFingerprint(value) : undefined,
  );
}
