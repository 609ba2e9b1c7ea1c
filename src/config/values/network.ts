import { isIP } from "node:net";
import type { ZodType } from "zod";
import { TEXTS_SHAPE, valueSchema } from "./schema.ts";

const NETWORKS_MAX = 1000;

/** IP addresses and networks: a list, or text with commas or blanks between them. */
export function networkList(): ZodType<string[]> {
  const expected = "must be IP addresses or networks such as 127.0.0.1, 10.0.0.0/8 or fd00::/8";
  return valueSchema(expected, (value) => {
    const items = typeof value === "string" ? value.split(/[\s,]+/) : value;
    if (!Array.isArray(items) || items.length > NETWORKS_MAX) return undefined;
    const given = items.map((item) => String(item).trim()).filter((item) => item !== "");
    return given.every(isNetwork) ? given : undefined;
  }).meta({ shape: TEXTS_SHAPE });
}

function isNetwork(text: string): boolean {
  const [, address = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits ?? 0) <= (version === 4 ? 32 : 128);
}
