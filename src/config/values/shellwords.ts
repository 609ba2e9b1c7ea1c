import type { ZodType } from "zod";
import { parseJsonList, TEXTS_SHAPE, valueSchema } from "./schema.ts";

/** Words of a command line: a list, a JSON list, or one text that is split as a shell does. */
export function shellWords(): ZodType<string[]> {
  return valueSchema('must be a list of texts such as ["--ctx-size", "8192"]', (value) => {
    const given =
      typeof value === "string" ? (parseJsonList(value) ?? splitShellWords(value)) : value;
    return Array.isArray(given) && given.every((word) => typeof word === "string")
      ? given
      : undefined;
  }).meta({ shape: TEXTS_SHAPE });
}

/**
 * Splits a command line into words as a shell does: blanks separate, quotes and backslashes keep
 * them together. Undefined if a quote is not closed.
 */
function splitShellWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === "\\" && quote !== "'" && /["'\\\s]/.test(text.charAt(i + 1))) {
      i += 1;
      word = (word ?? "") + text.charAt(i);
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== "") return undefined;
  return word === undefined ? words : [...words, word];
}
