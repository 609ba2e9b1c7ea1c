import {
  BASIC_PLANE,
  type CharacterSet,
  complement,
  DIGITS,
  DOT,
  intersection,
  SPACE,
  setOf,
  WORD,
  withProperty,
} from "./characters.ts";

/** A part of a regular expression. */
export type Part =
  | { kind: "one"; of: CharacterSet }
  | { kind: "sequence"; parts: Part[] }
  | { kind: "choice"; options: Part[] }
  | { kind: "repetition"; part: Part; least: number; most: number }
  | { kind: "start" }
  | { kind: "end" };

/** The pattern is right, but has something that no grammar can express; `message` says what. */
export class UnsupportedPattern extends Error {}

const DEPTH_MAX = 64;
const QUANTIFIER = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/;
const CONTROL: Record<string, number> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

/** Reads a regular expression (ECMA-262). Throws `UnsupportedPattern`. */
export function parsePattern(pattern: string): Part {
  const reader = new PatternReader(pattern);
  return reader.choice(0);
}

class PatternReader {
  #rest: string;

  constructor(pattern: string) {
    this.#rest = pattern;
  }

  choice(depth: number): Part {
    if (depth > DEPTH_MAX) throw new UnsupportedPattern("it is nested too deeply");
    const options = [this.#sequence(depth)];
    while (this.#take("|")) options.push(this.#sequence(depth));
    const [only] = options;
    return only !== undefined && options.length === 1 ? only : { kind: "choice", options };
  }

  #sequence(depth: number): Part {
    const parts: Part[] = [];
    while (this.#rest !== "" && !/^[|)]/.test(this.#rest)) {
      parts.push(this.#repeated(this.#atom(depth)));
    }
    return { kind: "sequence", parts };
  }

  #repeated(part: Part): Part {
    const found = QUANTIFIER.exec(this.#rest);
    if (found === null) return part;
    const [all, sign, count, comma, end] = found;
    this.#rest = this.#rest.slice(all.length);
    if (part.kind === "start" || part.kind === "end") {
      throw new UnsupportedPattern("it repeats an anchor");
    }
    const least = sign === undefined ? Number(count) : sign === "+" ? 1 : 0;
    const open = sign === "*" || sign === "+" || (comma !== undefined && end === "");
    const most = open ? Number.POSITIVE_INFINITY : sign === "?" ? 1 : Number(end ?? count);
    return { kind: "repetition", part, least, most };
  }

  #atom(depth: number): Part {
    if (this.#take("(")) return this.#group(depth);
    if (this.#take("[")) return { kind: "one", of: this.#class() };
    if (this.#take("^")) return { kind: "start" };
    if (this.#take("$")) return { kind: "end" };
    if (this.#take(".")) return { kind: "one", of: DOT };
    return { kind: "one", of: this.#character(false) };
  }

  #group(depth: number): Part {
    const [head] = /^\?(?::|<(?![=!])[^>]*>)/.exec(this.#rest) ?? [""];
    this.#rest = this.#rest.slice(head.length);
    if (this.#rest.startsWith("?")) throw new UnsupportedPattern("it looks ahead or behind");
    const inner = this.choice(depth + 1);
    this.#take(")");
    return inner;
  }

  /** A class of characters, behind its `[`. */
  #class(): CharacterSet {
    const isNegated = this.#take("^");
    let set: CharacterSet = [];
    let hasProperty = false;
    while (!this.#take("]")) {
      hasProperty ||= /^\\p/i.test(this.#rest);
      const from = this.#character(true);
      const isRange = /^-[^\]]/.test(this.#rest) && isSingle(from);
      if (!isRange) {
        set = setOf(...set, ...from);
        continue;
      }
      this.#take("-");
      const to = this.#character(true);
      const [[first = 0] = []] = from;
      const last = to.at(-1)?.[1] ?? first;
      // Behind a range's `-` may stand `\d`: then the three are what they are by themselves.
      set = isSingle(to) ? setOf(...set, [first, last]) : setOf(...set, ...from, ...to, [45, 45]);
    }
    if (!isNegated) return set;
    return hasProperty ? intersection(BASIC_PLANE, complement(set)) : complement(set);
  }

  #character(isInClass: boolean): CharacterSet {
    if (this.#take("\\")) return this.#escape(isInClass);
    const point = this.#rest.codePointAt(0) ?? 0;
    this.#rest = this.#rest.slice(point > 0xffff ? 2 : 1);
    return setOf([point, point]);
  }

  #escape(isInClass: boolean): CharacterSet {
    const code = /^(?:x([\da-f]{2})|u\{([\da-f]+)\}|u([\da-f]{4}))/i.exec(this.#rest);
    if (code !== null) return this.#coded(code);
    const property = /^(p)\{([^}]*)\}/i.exec(this.#rest);
    if (property !== null) {
      const [all, letter, name = ""] = property;
      this.#rest = this.#rest.slice(all.length);
      const set = withProperty(name);
      if (set === undefined) throw new UnsupportedPattern(`it has an unknown property \\${all}`);
      return letter === "P" ? intersection(BASIC_PLANE, complement(set)) : set;
    }
    const point = this.#rest.codePointAt(0) ?? 92;
    const letter = String.fromCodePoint(point);
    this.#rest = this.#rest.slice(letter.length);
    const classes: Record<string, CharacterSet> = { d: DIGITS, w: WORD, s: SPACE };
    const named = classes[letter.toLowerCase()];
    if (named !== undefined) return letter === letter.toLowerCase() ? named : complement(named);
    if (isInClass && letter === "b") return setOf([8, 8]);
    if (letter === "0") return setOf([0, 0]);
    if (/[bB]/.test(letter)) throw new UnsupportedPattern("it has a word boundary");
    if (/[1-9k]/.test(letter)) throw new UnsupportedPattern("it refers back to a group");
    if (letter === "c") throw new UnsupportedPattern("it has a control letter");
    const control = CONTROL[letter] ?? point;
    return setOf([control, control]);
  }

  #coded([all, ...digits]: RegExpExecArray): CharacterSet {
    this.#rest = this.#rest.slice(all.length);
    let point = Number.parseInt(digits.find((found) => found !== undefined) ?? "0", 16);
    const low = /^\\u(d[c-f][\da-f]{2})/i.exec(this.#rest);
    if (point >= 0xd800 && point <= 0xdbff && low !== null) {
      this.#rest = this.#rest.slice(low[0].length);
      point = (point - 0xd800) * 0x400 + (Number.parseInt(low[1] ?? "", 16) - 0xdc00) + 0x10000;
    }
    return setOf([point, point]);
  }

  #take(text: string): boolean {
    if (!this.#rest.startsWith(text)) return false;
    this.#rest = this.#rest.slice(text.length);
    return true;
  }
}

function isSingle(set: CharacterSet): boolean {
  return set.length === 1 && set[0]?.[0] === set[0]?.[1];
}
