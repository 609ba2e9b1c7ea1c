import { randomOf } from "./mutant.ts";

/** Whole numbers below a limit. */
export type Random = (below: number) => number;

/** What a fuzzer starts from. */
export interface Grammar {
  /** Texts that are right, or nearly. */
  right: readonly string[];
  /** Parts that mean something to the parser. */
  parts: readonly string[];
}

/** What has broken parsers everywhere. */
const ODD = ["\0", "\n", "\r\n", "\t", " ", "ü", "😀", "\ud800", "\u2028", "%00", "%", "\\", '"'];
const CHANGES_MAX = 6;
const PARTS_MAX = 12;

/** A text for a parser: a right one with some changes, or parts in any order. */
export function fuzzText(
  { right, parts }: Grammar,
  seed: number,
): { text: string; random: Random } {
  const random = randomOf(seed);
  const one = (list: readonly string[]) => list[random(list.length)] ?? "";
  const either = () => one(random(4) === 0 ? ODD : parts);
  if (random(4) === 0) {
    return { text: Array.from({ length: random(PARTS_MAX) }, either).join(""), random };
  }
  let text = one(right);
  for (let left = random(CHANGES_MAX); left > 0; left -= 1) {
    const [at, length] = [random(text.length + 1), random(8)];
    const rest = text.slice(at);
    const kind = random(5);
    if (kind === 0) text = text.slice(0, at) + rest.slice(length);
    else if (kind === 1) text = text.slice(0, at) + either() + rest;
    else if (kind === 2) text = text.slice(0, at) + either() + rest.slice(length);
    else if (kind === 3) text = text.slice(0, at) + rest.slice(0, length).repeat(3) + rest;
    else if (random(3) === 0) text = text.slice(0, at);
  }
  return { text, random };
}

/** A text's bytes in UTF-8, in pieces of any size. */
export function pieces(text: string, random: Random): Uint8Array[] {
  const bytes = Buffer.from(text);
  const all: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random(bytes.length);
    all.push(bytes.subarray(at, end));
    at = end;
  }
  return all;
}
