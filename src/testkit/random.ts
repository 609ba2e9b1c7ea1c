/**
 * Whole numbers below 2³² that look random: the same ones for the same seed.
 * Source: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (mulberry32).
 */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
