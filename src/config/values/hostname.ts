import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { type ZodType, z } from "zod";
import { TEXTS_SHAPE } from "./schema.ts";

const NAMES_MAX = 1000;
/** A name in any script, with an optional wildcard before it and an optional dot behind it. */
const NAME = /^(\*?\.)?((?:[\p{L}\p{M}\p{N}_-]+\.)*[\p{L}\p{M}\p{N}_-]+)\.?$/u;
const NAME_CHARS_MAX = 253;

/** Host names without ports: a list, or text with commas between them. */
export function hostNames(): ZodType<string[]> {
  const names = z.unknown().transform((value, ctx) => {
    const given = (Array.isArray(value) ? value : [value]).flatMap((item) =>
      typeof item === "string" ? item.split(",").map((one) => one.trim()) : [undefined],
    );
    const read: string[] = [];
    for (const item of given) {
      if (item === "") continue;
      const name = item === undefined ? undefined : readName(item);
      if (name === undefined || read.length === NAMES_MAX) {
        const message =
          "must be host names without ports, such as llm.example.com, .example.com or *";
        ctx.addIssue({ code: "custom", message, ...(item && { params: { item } }) });
        return z.NEVER;
      }
      read.push(name);
    }
    return read;
  });
  return names.meta({ shape: TEXTS_SHAPE });
}

/** The name as browsers send it: lower case, ASCII, no final dot; undefined if it is none. */
function readName(text: string): string | undefined {
  if (text === "*" || isIP(text) !== 0) return text;
  const [, wildcard = "", written = ""] = NAME.exec(text) ?? [];
  const name = domainToASCII(written);
  return name === "" || name.length > NAME_CHARS_MAX ? undefined : wildcard + name;
}
