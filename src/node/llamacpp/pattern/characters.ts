/** Code points in ascending ranges that neither meet nor overlap. */
export type CharacterSet = readonly (readonly [first: number, last: number])[];

const LAST = 0x10ffff;
/** Last code point of which properties are read: those beyond would take too long. */
const LAST_WITH_PROPERTIES = 0xffff;

/** Makes a set of ranges in any order. Surrogates, which are no characters, are left out. */
export function setOf(...ranges: (readonly [number, number])[]): CharacterSet {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged.flatMap(([first, last]): [number, number][] => {
    if (last < 0xd800 || first > 0xdfff) return [[first, last]];
    const parts: [number, number][] = [
      [first, 0xd7ff],
      [0xe000, last],
    ];
    return parts.filter(([from, to]) => from <= to);
  });
}

/** All characters up to `last` that are not in a set. */
export function complement(set: CharacterSet, last = LAST): CharacterSet {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [first, end] of set) {
    if (first > next) gaps.push([next, Math.min(first - 1, last)]);
    next = end + 1;
  }
  if (next <= last) gaps.push([next, last]);
  return setOf(...gaps.filter(([from, to]) => from <= to));
}

/** The characters of both sets. */
export function intersection(left: CharacterSet, right: CharacterSet): CharacterSet {
  return complement(setOf(...complement(left), ...complement(right)));
}

export const DIGITS = setOf([0x30, 0x39]);
export const WORD = setOf([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]);
/** What `\s` means, by ECMA-262: white space and line ends. */
export const SPACE = setOf(
  ...([
    [0x09, 0x0d],
    [0x20, 0x20],
    [0xa0, 0xa0],
    [0x1680, 0x1680],
    [0x2000, 0x200a],
  ] as const),
  ...([
    [0x2028, 0x2029],
    [0x202f, 0x202f],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
  ] as const),
  [0xfeff, 0xfeff],
);
/** What `.` means: all but line ends. */
export const DOT = complement(setOf([0x0a, 0x0a], [0x0d, 0x0d], [0x2028, 0x2029]));
export const ANY = complement([]);
/** The characters whose properties are known here. */
export const BASIC_PLANE = setOf([0, LAST_WITH_PROPERTIES]);

const PROPERTIES_KEPT = 32;
const properties = new Map<string, CharacterSet>();

/** The characters of the basic plane with a property, e.g. `L` of `\p{L}`. */
export function withProperty(name: string): CharacterSet | undefined {
  const kept = properties.get(name);
  if (kept !== undefined) return kept;
  const matcher = matcherOf(name);
  if (matcher === undefined) return undefined;
  const found: [number, number][] = [];
  for (let point = 0; point <= LAST_WITH_PROPERTIES; point += 1) {
    if (!matcher.test(String.fromCodePoint(point))) continue;
    const before = found.at(-1);
    if (before?.[1] === point - 1) before[1] = point;
    else found.push([point, point]);
  }
  const set = setOf(...found);
  if (properties.size >= PROPERTIES_KEPT) properties.clear();
  properties.set(name, set);
  return set;
}

function matcherOf(name: string): RegExp | undefined {
  try {
    return /^[\w=]+$/.test(name) ? new RegExp(`^\\p{${name}}$`, "u") : undefined;
  } catch {
    return undefined; // there is no such property
  }
}
