import { fitsInto, HOST, type Memory, mapMemory } from "./memory.ts";

/** What may be taken from a model so that it fits: see `fit` in the settings of a model. */
export type Fit = "auto" | "off";

export interface FitQuestion {
  /** What the engine takes with so many tokens of context. More tokens never take less. */
  memoryOf(contextTokens: number): Memory;
  /** Tokens of context, all slots together, that it should have, and at least. */
  wishedTokens: number;
  leastTokens: number;
  mayShorten: boolean;
  /** llama.cpp itself puts layers that do not fit on devices into the host's memory. */
  mayMoveLayers: boolean;
  /** What can be had of each memory, were all other engines ended that may be. */
  most: Memory;
}

export interface FitPlan {
  contextTokens: number;
  need: Memory;
  /** Some layers are to be in the host's memory because the devices are too small. */
  movesLayers: boolean;
}

/** Contexts are a multiple of so many tokens. */
const STEP_TOKENS = 256;

/**
 * How an engine is started so that it fits. A load that fits in none of these ways is planned as
 * the last one that is allowed, and `decideRoom` says what is wrong with it.
 *
 * | what fits                                              | plan                                |
 * |--------------------------------------------------------|-------------------------------------|
 * | all of it, with the context that it should have        | that                                |
 * | all of it, with a shorter context                      | the longest that fits               |
 * | with layers in the host's memory, and its whole context| llama.cpp moves layers              |
 * | with layers in the host's memory and a shorter context | the longest that fits, layers move  |
 */
export function planFit(question: FitQuestion): FitPlan {
  const { wishedTokens, leastTokens, mayShorten, mayMoveLayers, most } = question;
  const shortest = mayShorten ? Math.min(leastTokens, wishedTokens) : wishedTokens;
  const waysToPlace = mayMoveLayers ? [unmoved, moved] : [unmoved];
  for (const place of waysToPlace) {
    const planOf = (contextTokens: number): FitPlan => {
      return { contextTokens, ...place(question.memoryOf(contextTokens), most) };
    };
    const fits = (tokens: number) => fitsInto(planOf(tokens).need, most);
    if (fits(wishedTokens)) return planOf(wishedTokens);
    if (fits(shortest)) return planOf(longest(fits, shortest, wishedTokens));
  }
  const place = waysToPlace.at(-1) ?? unmoved;
  return { contextTokens: shortest, ...place(question.memoryOf(shortest), most) };
}

type Placed = Pick<FitPlan, "need" | "movesLayers">;

function unmoved(need: Memory): Placed {
  return { need, movesLayers: false };
}

/** What does not fit on devices is in the host's memory. */
function moved(need: Memory, most: Memory): Placed {
  let rest = 0;
  const kept = mapMemory(need, (bytes, name) => {
    if (name === HOST || most[name] === undefined) return bytes;
    const left = Math.max(0, Math.min(bytes, most[name]));
    rest += bytes - left;
    return left;
  });
  return { need: { ...kept, [HOST]: (kept[HOST] ?? 0) + rest }, movesLayers: rest > 0 };
}

/** The longest context that fits between one that does and one that does not. */
function longest(fits: (tokens: number) => boolean, from: number, to: number): number {
  let low = Math.floor(from / STEP_TOKENS);
  let high = Math.ceil(to / STEP_TOKENS);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle * STEP_TOKENS)) low = middle;
    else high = middle;
  }
  return Math.max(from, low * STEP_TOKENS);
}
