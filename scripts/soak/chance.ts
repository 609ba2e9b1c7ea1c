import { mulberry32 } from "../../src/testkit/random.ts";

/** Numbers that look random, from 0 up to 1: the same ones for the same seed. */
export type Chance = () => number;

/** The chance of a seed. */
export function chanceOf(seed: number): Chance {
  const next = mulberry32(seed);
  return () => next() / 2 ** 32;
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
