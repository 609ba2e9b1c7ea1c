import { type ZodType, z } from "zod";
import { TEXTS_SHAPE } from "./schema.ts";

/** Stands for pages that this machine serves, whatever their port. */
export const LOCAL_ORIGINS = "local";

const ORIGINS_MAX = 1000;
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@,]{1,255}$/;

/**
 * Origins of pages: a list, or text with commas between them. `local` stands for this machine's,
 * `*` for any, and `none` for nothing.
 */
export function originList(): ZodType<string[]> {
  const origins = z.unknown().transform((value, ctx) => {
    const given = (Array.isArray(value) ? value : [value]).flatMap((item) =>
      typeof item === "string" ? item.split(",").map(readOrigin) : [undefined],
    );
    const read = given.filter((origin) => origin !== undefined);
    if (read.length === given.length && read.length <= ORIGINS_MAX) {
      return read.filter((origin) => origin !== "" && origin !== "none");
    }
    const message =
      "must be origins such as https://chat.example.com or http://10.0.0.5:3000, local, * or none";
    ctx.addIssue({ code: "custom", message });
    return z.NEVER;
  });
  return origins.meta({ shape: TEXTS_SHAPE });
}

/** As browsers send it: in lower case, without a slash; undefined if it is none. */
function readOrigin(text: string): string | undefined {
  const origin = text.trim().toLowerCase().replace(/\/$/, "");
  if (origin === "" || origin === "*" || origin === LOCAL_ORIGINS || origin === "none") {
    return origin;
  }
  if (!ORIGIN.test(origin)) return undefined;
  // Browsers leave out a default port; of other schemes nobody knows one.
  return /^https?:/.test(origin) ? URL.parse(origin)?.origin : origin;
}
