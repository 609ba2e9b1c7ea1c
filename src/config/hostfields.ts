import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { type ZodType, z } from "zod";
import type { Field, Inputs } from "./fields.ts";

/** The setting of the names by which clients may call this server. */
export const HOST_FIELDS: { allowedHosts: Field<Inputs["allowedHosts"]> } = {
  allowedHosts: {
    name: "allowed_hosts",
    flags: "--allowed-hosts <names>",
    group: "Server",
    help: "Further names by which clients reach this server, e.g. behind a proxy: llm.example.com, \
.example.com with all below it, or * for any",
    schema: () => names(),
    fallback: () => [],
    fallbackText: "this machine's",
  },
};

const NAMES_MAX = 1000;
/** A name in any script, maybe with a wildcard before it and a dot behind it. */
const NAME = /^(\*?\.)?((?:[\p{L}\p{M}\p{N}_-]+\.)*[\p{L}\p{M}\p{N}_-]+)\.?$/u;
const NAME_CHARS_MAX = 253;

/** A list of names, or text with commas between them. */
function names(): ZodType<string[]> {
  return z.unknown().transform((value, ctx) => {
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
}

/** The name as browsers send it: in lower case, in ASCII, without a dot at its end. */
function readName(text: string): string | undefined {
  if (text === "*" || isIP(text) !== 0) return text;
  const [, wildcard = "", written = ""] = NAME.exec(text) ?? [];
  const name = domainToASCII(written);
  return name === "" || name.length > NAME_CHARS_MAX ? undefined : wildcard + name;
}
