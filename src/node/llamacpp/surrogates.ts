import { asBuffer } from "../../lib/buffer.ts";

/** A half of a surrogate pair, written as an escape, without its other half. */
const LONE = /\\ud[89ab][\da-f]{2}(?!\\ud[c-f])|(?<!\\ud[89ab][\da-f]{2})\\ud[c-f]/i;

/** Nothing is escaped without it; a byte is found sooner than a text. */
const BACKSLASH = 0x5c;

/** The same in what `JSON.stringify` writes, which has no escapes of whole pairs. */
const WRITTEN = /(?<!\\)((?:\\\\)*)\\ud[89a-f][\da-f]{2}/g;

/** Whether a JSON text may have half a character, which clients that cut texts send. */
export function hasHalfCharacter(json: Uint8Array): boolean {
  const bytes = asBuffer(json);
  if (!bytes.includes(BACKSLASH)) return false;
  if (!bytes.includes("\\ud") && !bytes.includes("\\uD")) return false;
  return LONE.test(bytes.toString("latin1"));
}

/** JSON in which half characters are replaced (U+FFFD): the engine's parser refuses them. */
export function wellFormedJson(value: object): string {
  const json = JSON.stringify(value);
  return json.includes("\\ud") ? json.replace(WRITTEN, "$1\\ufffd") : json;
}
