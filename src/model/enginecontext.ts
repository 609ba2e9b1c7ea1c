import type { Hyperparameters } from "./hyperparameters.ts";

/** The settings of an engine that decide how much memory it takes. */
export interface EngineContext {
  /** Tokens of context, all slots together. */
  tokens: number;
  slots: number;
  /** Whether all slots share one cache. */
  unified: boolean;
  /** Tokens that are computed in one step. */
  batch: number;
  /** Bytes of a number in the cache. */
  keyBytes: number;
  valueBytes: number;
  flashAttention: boolean;
  /** Whether layers with a sliding window keep the whole context all the same. */
  fullWindow: boolean;
}

const SLOTS_DEFAULT = 4;
const BATCH_DEFAULT = 512;
/** llama.cpp makes the context fit the memory, but not below this. */
const CONTEXT_TOKENS_MIN = 4096;
/** Bytes of a number, by the type that `--cache-type-k` names. */
const CACHE_BYTES: Record<string, number> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 34 / 32,
  q5_1: 24 / 32,
  q5_0: 22 / 32,
  q4_1: 20 / 32,
  q4_0: 18 / 32,
  iq4_nl: 18 / 32,
};

/**
 * The context that llama-server's arguments describe. Without `--ctx-size`, llama.cpp takes as much
 * as fits: the least that it takes is assumed.
 */
export function contextOf(args: string[], { trainedContext }: Hyperparameters): EngineContext {
  const last = (...names: string[]) => args[args.findLastIndex((arg) => names.includes(arg)) + 1];
  const argument = (...names: string[]) =>
    args.some((arg) => names.includes(arg)) ? last(...names) : undefined;
  const number = (...names: string[]) => {
    const value = Number(argument(...names));
    return Number.isInteger(value) && value > 0 ? value : undefined;
  };
  const slots = number("--parallel", "-np");
  const tokens = number("--ctx-size", "-c") ?? Math.min(trainedContext, CONTEXT_TOKENS_MIN);
  return {
    tokens,
    slots: slots ?? SLOTS_DEFAULT,
    unified: slots === undefined || args.some((arg) => arg === "--kv-unified" || arg === "-kvu"),
    batch: number("--ubatch-size", "-ub") ?? BATCH_DEFAULT,
    keyBytes: CACHE_BYTES[argument("--cache-type-k", "-ctk") ?? "f16"] ?? 2,
    valueBytes: CACHE_BYTES[argument("--cache-type-v", "-ctv") ?? "f16"] ?? 2,
    flashAttention: argument("--flash-attn", "-fa") !== "off",
    fullWindow: args.includes("--swa-full"),
  };
}
