import { formatBytes } from "../config/units.ts";
import type { Hyperparameters } from "../model/hyperparameters.ts";
import {
  estimateMemory,
  type FreeMemory,
  MEMORY_RESERVE_BYTES,
  type MemoryEstimate,
  type MemoryPlace,
  usableMemory,
} from "../model/memory.ts";
import { preferredQuantization } from "../model/quantization.ts";
import type { WeightsCandidate } from "./candidate.ts";
import { PullError } from "./pull/error.ts";

/** The quantization that is chosen, and where its engine's memory will be. */
export interface QuantizationChoice {
  candidate: WeightsCandidate;
  estimate: MemoryEstimate;
  place: MemoryPlace;
}

/** What decides whether weights can be run here. */
export interface EngineConditions {
  /** Undefined if they could not be read: then sizes alone decide. */
  hyperparameters: Hyperparameters | undefined;
  /** llama-server's arguments. */
  args: string[];
  free: FreeMemory;
  /** Size of what goes with every candidate, e.g. an image projector. */
  extraBytes: number;
}

/**
 * Chooses among the quantizations of a model.
 *
 * 1. Where there are GPUs: what fits on them. 2. Else what fits on GPUs and host together.
 * 3. Of those, the preferred quantization, Q4_K_M; else the largest.
 * Throws `PullError` with the numbers if nothing fits.
 */
export function chooseQuantization(
  candidates: WeightsCandidate[],
  conditions: EngineConditions,
): QuantizationChoice {
  const estimated = candidates.flatMap((candidate) => {
    const { sizeBytes, quantization } = candidate;
    if (sizeBytes === null) return [];
    const estimate = estimateCandidate(sizeBytes, conditions);
    return [{ candidate, estimate, sizeBytes, quantization }];
  });
  for (const [place, bytes] of usableMemory(conditions.free)) {
    const fitting = estimated.filter(({ estimate }) => estimate.total <= bytes);
    const chosen = preferredQuantization(fitting);
    if (chosen !== undefined) return { ...chosen, place };
  }
  const smallest = estimated.toSorted((a, b) => a.estimate.total - b.estimate.total)[0];
  const failure = smallest === undefined ? "no_artifact" : "too_large";
  throw new PullError(failure, whyNone(smallest, conditions.free));
}

/** The memory that an engine takes with weights of this size. */
export function estimateCandidate(
  sizeBytes: number,
  { hyperparameters, args, extraBytes }: EngineConditions,
): MemoryEstimate {
  return estimateMemory({ weightsBytes: sizeBytes + extraBytes, hyperparameters, args });
}

/** The free memory in words: "2 GiB of GPU memory and 8 GiB of host memory". */
export function freeMemoryText({ device, host }: FreeMemory): string {
  const gpus = device > 0 ? `${formatBytes(device)} of GPU memory and ` : "";
  return `${gpus}${formatBytes(host)} of host memory`;
}

function whyNone(
  smallest: Pick<QuantizationChoice, "candidate" | "estimate"> | undefined,
  free: FreeMemory,
): string {
  if (smallest === undefined) {
    return "Nothing of the model can be run here: it has no GGUF file of known size.";
  }
  const { candidate, estimate } = smallest;
  return `Nothing of the model fits: the smallest, ${candidate.quantization ?? candidate.name}, \
takes ${formatBytes(estimate.total)} (weights ${formatBytes(estimate.weights)}, cache \
${formatBytes(estimate.cache)}, computing ${formatBytes(estimate.compute)}), but \
${freeMemoryText(free)} are free, of which ${formatBytes(MEMORY_RESERVE_BYTES)} stay free, and an \
eighth of the host's rest is for prompts that engines keep. \
Unload other models, lower --ctx-size or --parallel, or use a larger machine.`;
}
