/** How a model is drawn: a colour and a pattern, each told by a number from 0. */
export interface Ink {
  color: number;
  pattern: number;
}

export type Inks = ReadonlyMap<string, Ink>;

const COLORS = 8;
const PATTERNS = 4;

/**
 * Inks for models: those that have one keep it, others get the next that is free, first of other
 * colours, then of other patterns. Beyond 32 they come again. The same map if nothing is new.
 */
export function inksFor(models: Iterable<string>, before: Inks = new Map()): Inks {
  const fresh = [...new Set(models)].filter((model) => !before.has(model)).sort();
  if (fresh.length === 0) return before;
  const inks = new Map(before);
  for (const model of fresh) inks.set(model, inkAt(inks.size));
  return inks;
}

function inkAt(place: number): Ink {
  return { color: place % COLORS, pattern: Math.floor(place / COLORS) % PATTERNS };
}
