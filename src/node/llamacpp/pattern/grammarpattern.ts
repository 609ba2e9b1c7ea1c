import { ANY, type CharacterSet, complement, intersection, setOf } from "./characters.ts";
import { type Part, parsePattern, UnsupportedPattern } from "./syntax.ts";

const PATTERN_CHARACTERS_MAX = 4096;
const RESULT_CHARACTERS_MAX = 32_768;
const REPETITIONS_MAX = 2000;
/** Parts of one sequence that may be left out: the sampler follows all combinations. */
const OPTIONAL_MAX = 64;
/** Ranges of one set. More make each token slow; then the widest and the western ones are kept. */
const RANGES_MAX = 100;
const LAST_WESTERN = 0x24f;

/** A pattern in llama.cpp's words, or why there is none, as the end of a sentence. */
export type GrammarPattern = { pattern: string } | { problem: string };

/**
 * A JSON schema's pattern in the words of which llama.cpp (v0.5.0) makes a grammar. It knows only
 * anchored patterns without classes like `\d`, and matches them against the text of the JSON, so
 * what JSON writes with escapes is written so here. What the result matches, the pattern matches,
 * too; of large sets of characters the rare ones are left out.
 */
export function grammarPattern(pattern: string): GrammarPattern {
  if (pattern.length > PATTERN_CHARACTERS_MAX) {
    return { problem: `it has over ${PATTERN_CHARACTERS_MAX} characters` };
  }
  if (!isValid(pattern)) return { problem: "it is no regular expression" };
  try {
    const inner = render(anchored(parsePattern(pattern)));
    if (inner.length > RESULT_CHARACTERS_MAX) return { problem: "it is too large" };
    return { pattern: `^${inner}$` };
  } catch (error) {
    if (error instanceof UnsupportedPattern) return { problem: error.message };
    throw error;
  }
}

/** Schemas write them for engines with and without the flag `u`. */
function isValid(pattern: string): boolean {
  return ["u", ""].some((flags) => {
    try {
      return new RegExp(pattern, flags) instanceof RegExp;
    } catch {
      return false;
    }
  });
}

const ANYTHING: Part = {
  kind: "repetition",
  part: { kind: "one", of: ANY },
  least: 0,
  most: Number.POSITIVE_INFINITY,
};

/** The same without anchors: where there is none, anything may stand. */
function anchored(part: Part): Part {
  if (part.kind === "choice") return { kind: "choice", options: part.options.map(anchored) };
  const parts = part.kind === "sequence" ? part.parts : [part];
  const hasStart = parts[0]?.kind === "start";
  const hasEnd = parts.at(-1)?.kind === "end";
  const inner = parts.slice(hasStart ? 1 : 0, hasEnd ? -1 : undefined);
  // A group that is all there is may have the anchors in it.
  const [only] = inner;
  if (only?.kind === "choice" && inner.length === 1 && !hasStart && !hasEnd) return anchored(only);
  return {
    kind: "sequence",
    parts: [...(hasStart ? [] : [ANYTHING]), ...inner, ...(hasEnd ? [] : [ANYTHING])],
  };
}

function render(part: Part): string {
  switch (part.kind) {
    case "one":
      return renderSet(part.of);
    case "choice":
      return `(${part.options.map(render).join("|")})`;
    case "repetition":
      return renderRepetition(part);
    case "sequence": {
      const optional = part.parts.filter((one) => one.kind === "repetition" && one.least === 0);
      if (optional.length <= OPTIONAL_MAX) return part.parts.map(render).join("");
      throw new UnsupportedPattern(`it has over ${OPTIONAL_MAX} optional parts in a row`);
    }
    default:
      throw new UnsupportedPattern("it has an anchor inside");
  }
}

function renderRepetition({ part, least, most }: Extract<Part, { kind: "repetition" }>): string {
  const largest = most === Number.POSITIVE_INFINITY ? least : most;
  if (largest > REPETITIONS_MAX) {
    throw new UnsupportedPattern(`it repeats more than ${REPETITIONS_MAX} times`);
  }
  if (most === 0) return "";
  const inner = part.kind === "one" || part.kind === "choice" ? render(part) : `(${render(part)})`;
  if (inner === "()") return "";
  if (most !== Number.POSITIVE_INFINITY) {
    return `${inner}${least === 0 && most === 1 ? "?" : `{${least},${most}}`}`;
  }
  return `${inner}${least === 0 ? "*" : least === 1 ? "+" : `{${least},}`}`;
}

/** Characters that JSON never writes as they are. */
const ESCAPED = setOf([0, 0x1f], [0x22, 0x22], [0x5c, 0x5c]);

/** Characters that JSON writes with a letter, and how a pattern here matches that. */
const SHORT = new Map([
  ...([
    [0x22, '\\\\"'],
    [0x5c, "\\\\\\\\"],
    [0x0a, "\\\\n"],
  ] as const),
  ...([
    [0x0d, "\\\\r"],
    [0x09, "\\\\t"],
  ] as const),
]);

function renderSet(set: CharacterSet): string {
  const plain = intersection(set, complement(ESCAPED));
  const short = [...SHORT].filter(([point]) => has(set, point)).map(([, text]) => text);
  if (plain.length > 0 && short.length === 0) return renderPlain(plain);
  const ways = [...(plain.length === 0 ? [] : [renderPlain(plain)]), ...short];
  // Other control characters only where there is nothing else.
  if (ways.length === 0)
    ways.push(
      ...Array.from({ length: 0x20 }, (_, point) => point)
        .filter((point) => has(set, point))
        .map(codeOf),
    );
  if (ways.length === 0) throw new UnsupportedPattern("it has a class of no characters");
  return `(${ways.join("|")})`;
}

function renderPlain(set: CharacterSet): string {
  const [[first, last] = [0, 0]] = set;
  if (set.length === 1 && first === last && isLetter(first)) return String.fromCodePoint(first);
  const ranges = kept(set).map(([from, to]) =>
    from === to ? sign(from) : `${sign(from)}-${sign(to)}`,
  );
  return `[${ranges.join("")}]`;
}

function kept(set: CharacterSet): CharacterSet {
  if (set.length <= RANGES_MAX) return set;
  const widest = set.toSorted((a, b) => b[1] - b[0] - (a[1] - a[0])).slice(0, RANGES_MAX);
  return setOf(...widest, ...set.filter(([, last]) => last <= LAST_WESTERN));
}

function sign(point: number): string {
  if (isLetter(point)) return String.fromCodePoint(point);
  const hex = point.toString(16).toUpperCase();
  if (point <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return point <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

function isLetter(point: number): boolean {
  return /^[A-Za-z0-9]$/.test(String.fromCodePoint(point));
}

function codeOf(point: number): string {
  return `\\\\u${point.toString(16).padStart(4, "0")}`;
}

function has(set: CharacterSet, point: number): boolean {
  return set.some(([first, last]) => first <= point && point <= last);
}
