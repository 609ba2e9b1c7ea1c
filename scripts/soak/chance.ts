/** Numbers that look random, from 0 up to 1: the same ones for the same seed. */
export type Chance = () => number;

/** Source: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (mulberry32). */
export function chanceOf(seed: number): Chance {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of these, all with the same chance. */
export function evenly<T>(chance: Chance, from: readonly T[]): T {
  return at(from, Math.floor(chance() * from.length));
}

/** One of these, the second half as often as the first, the third a third as often (Zipf's law). */
export function byRank<T>(chance: Chance, from: readonly T[]): T {
  const all = from.reduce((sum, _, i) => sum + 1 / (i + 1), 0);
  let left = chance() * all;
  return at(
    from,
    from.findIndex((_, i) => {
      left -= 1 / (i + 1);
      return left <= 0;
    }),
  );
}

function at<T>(from: readonly T[], index: number): T {
  const one = from.at(index);
  if (one === undefined) throw new Error("there is nothing to choose from");
  return one;
}
