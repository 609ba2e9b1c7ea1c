import { contextOf } from "../../../model/enginecontext.ts";
import type { Hyperparameters } from "../../../model/hyperparameters.ts";
import type { ShortenedModel } from "../../../wire/system.ts";
import { argumentOf } from "../argumentlist.ts";
import { engineMemory, type ModelSize } from "./enginememory.ts";
import { type Fit, planFit } from "./fit.ts";
import { ALL, HOST, type Memory } from "./memory.ts";
import { leavesLayersOpen } from "./placement.ts";

export interface EngineFitQuestion {
  size: ModelSize;
  /** llama-server's arguments without those of the fit. */
  args: string[];
  /** What may be changed. Default: what the arguments leave open. */
  fit: Fit | undefined;
  /** Nobody else will need the memory: the model has all the context that it was trained for. */
  isAlone: boolean;
  /** What can be had of each memory. */
  most: Memory;
}

export interface EngineFit {
  /** Arguments that are to follow the engine's own. */
  args: string[];
  need: Memory;
  /** What it got less of than it should have; undefined: nothing. */
  shortened: ShortenedModel | undefined;
}

/** Where several models share the memory, one that is told no context has so many tokens. */
const CONTEXT_TOKENS_DEFAULT = 32_768;
/** A context is not made shorter than this, for each request. */
const CONTEXT_TOKENS_MIN = 4096;

/**
 * The arguments that make an engine fit, and what it takes with them. Without a context of its own
 * llama.cpp would take all memory that it finds, so it is told one.
 */
export function fitEngine(question: EngineFitQuestion): EngineFit {
  const { size, args, fit, most } = question;
  const { [HOST]: _, [ALL]: __, ...devices } = most;
  const { hyperparameters } = size;
  const llamaFit = llamaFitArgs(question, devices);
  const memoryOf = (tokens: number) =>
    engineMemory(size, [...args, "--ctx-size", String(tokens)], devices);
  if (hyperparameters === undefined) {
    return { args: llamaFit, need: memoryOf(0), shortened: undefined };
  }
  const { given, wished, least } = contextWish(question, hyperparameters);
  const plan = planFit({
    memoryOf,
    wishedTokens: wished,
    leastTokens: least,
    mayShorten: fit !== "off" && (given === undefined || fit === "auto"),
    mayMoveLayers: fit !== "off" && leavesLayersOpen(args),
    most,
  });
  const isTold = fit !== "off" && plan.contextTokens !== given;
  return {
    args: [...(isTold ? ["--ctx-size", String(plan.contextTokens)] : []), ...llamaFit],
    need: plan.need,
    shortened: shortenedOf(plan, wished),
  };
}

/**
 * llama.cpp's own fit moves layers to the host by what it measures, at the price of reading the
 * model twice. It is of no use without devices, as the context is told already.
 */
function llamaFitArgs({ args, fit }: EngineFitQuestion, devices: Memory): string[] {
  if (argumentOf(args, "--fit", "-fit") !== undefined) return [];
  return fit === "off" || Object.keys(devices).length === 0 ? ["--fit", "off"] : [];
}

/** Tokens of context, all slots together: those that arguments tell, and those to be had. */
function contextWish({ args, fit, isAlone }: EngineFitQuestion, model: Hyperparameters) {
  const told = Number(argumentOf(args, "--ctx-size", "-c") ?? 0);
  const given = told > 0 ? told : undefined;
  const { slots, unified } = contextOf(args, model);
  const streams = unified ? 1 : slots;
  const trained = model.trainedContext * streams;
  const least = Math.min(CONTEXT_TOKENS_MIN, model.trainedContext) * streams;
  const several = Math.min(model.trainedContext * slots, CONTEXT_TOKENS_DEFAULT);
  const open = isAlone || fit === "off" ? trained : Math.max(least, several);
  return { given, wished: given ?? open, least };
}

function shortenedOf(
  { contextTokens, movesLayers }: { contextTokens: number; movesLayers: boolean },
  wished: number,
): ShortenedModel | undefined {
  const isShort = contextTokens < wished;
  if (!isShort && !movesLayers) return undefined;
  return {
    ...(isShort ? { context_tokens: contextTokens, wished_context_tokens: wished } : {}),
    ...(movesLayers ? { layers_on_host: true } : {}),
  };
}
