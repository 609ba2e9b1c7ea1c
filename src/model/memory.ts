import { formatBytes, parseBytes } from "../config/units.ts";
import type { Candidate } from "../storage/pull/artifacts.ts";
import { PullError } from "../storage/pull/failure.ts";
import type { Device } from "../wire/system.ts";
import { isSameQuantization } from "./filename.ts";
import type { Hyperparameters } from "./hyperparameters.ts";

/** How an engine is going to be run, as far as that decides about memory. */
export interface EngineContext {
  /** Tokens of all slots together. */
  tokens: number;
  slots: number;
  /** All slots share one cache. */
  unified: boolean;
  /** Tokens that are computed at once. */
  batch: number;
  /** Bytes of a number in the cache. */
  keyBytes: number;
  valueBytes: number;
  flashAttention: boolean;
  /** Layers with a window keep all of the context anyway. */
  fullWindow: boolean;
}

/** What an engine takes, in bytes. */
export interface MemoryEstimate {
  weights: number;
  /** Keys and values, and the states of recurrent layers. */
  cache: number;
  compute: number;
  total: number;
}

const SLOTS_DEFAULT = 4;
const BATCH_DEFAULT = 512;
/** The context is made to fit by llama.cpp, but not below this. */
const CONTEXT_LEAST = 4096;
const CELLS_STEP = 256;

/** Bytes of a number in the types that `--cache-type-k` knows. */
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

/** What llama-server's arguments say of it; the context is the least one where they do not. */
export function contextOf(args: string[], { trainedContext }: Hyperparameters): EngineContext {
  const last = (...names: string[]) => args[args.findLastIndex((arg) => names.includes(arg)) + 1];
  const given = (...names: string[]) =>
    args.some((arg) => names.includes(arg)) ? last(...names) : undefined;
  const number = (...names: string[]) => {
    const value = Number(given(...names));
    return Number.isInteger(value) && value > 0 ? value : undefined;
  };
  const slots = number("--parallel", "-np");
  const tokens = number("--ctx-size", "-c") ?? Math.min(trainedContext, CONTEXT_LEAST);
  return {
    tokens,
    slots: slots ?? SLOTS_DEFAULT,
    unified: slots === undefined || args.some((arg) => arg === "--kv-unified" || arg === "-kvu"),
    batch: number("--ubatch-size", "-ub") ?? BATCH_DEFAULT,
    keyBytes: CACHE_BYTES[given("--cache-type-k", "-ctk") ?? "f16"] ?? 2,
    valueBytes: CACHE_BYTES[given("--cache-type-v", "-ctv") ?? "f16"] ?? 2,
    flashAttention: given("--flash-attn", "-fa") !== "off",
    fullWindow: args.includes("--swa-full"),
  };
}

/**
 * What a model takes of memory when llama.cpp runs it: its weights; for each layer and each cell of
 * the cache its keys and values; and the largest of the stages that are computed. The stages were
 * measured with llama.cpp: feed-forward holds three rows of its width and four of the embedding's
 * for each token, the last one the scores of the vocabulary and one row.
 */
export function estimateMemory(
  shape: Hyperparameters,
  context: EngineContext,
  weights: number,
): MemoryEstimate {
  const streams = context.unified ? 1 : context.slots;
  const cells = padded(Math.ceil(context.tokens / streams));
  const window = shape.window * (context.unified ? context.slots : 1) + context.batch;
  const windowCells = context.fullWindow ? cells : Math.min(cells, padded(window));
  let cache = 0;
  for (const { keys, values, sliding, state } of shape.layers) {
    const rows = (sliding ? windowCells : cells) * streams;
    cache += rows * (keys * context.keyBytes + values * context.valueBytes);
    cache += state * 4 * context.slots;
  }
  const batch = Math.min(context.batch, context.tokens);
  const stages = Math.max(
    3 * shape.feedForward + 4 * shape.embedding,
    shape.vocabulary + shape.embedding,
  );
  const sliding = shape.layers.some((layer) => layer.sliding);
  const seen = cells + (sliding ? windowCells : 0);
  const attends = shape.layers.some(({ keys }) => keys > 0);
  const perCell = context.flashAttention ? 2 : 4 + 4 * shape.heads;
  const attention = attends ? (context.flashAttention ? seen : cells) * batch * perCell : 0;
  const compute = stages * batch * 4 + attention + context.slots * shape.vocabulary * 4;
  return { weights, cache, compute, total: weights + cache + compute };
}

function padded(cells: number): number {
  return Math.ceil(cells / CELLS_STEP) * CELLS_STEP;
}

/** Memory that is free now, in bytes. */
export interface FreeMemory {
  /** Of all GPUs with memory of their own. */
  device: number;
  host: number;
}

/**
 * The free memory of a host, as ggml reports its devices. A GPU without memory of its own is none
 * here: what it uses is the host's. `hostBytes` counts where no device is the host itself.
 */
export function freeMemoryOf(devices: Device[], hostBytes: number): FreeMemory {
  const free = (type: Device["type"]) =>
    devices.filter((device) => device.type === type).map((device) => device.free_memory_bytes);
  const device = free("gpu").reduce((sum, bytes) => sum + bytes, 0);
  return { device, host: free("cpu")[0] ?? hostBytes };
}

/** What is chosen, and where it goes. */
export interface Fit {
  candidate: Candidate;
  estimate: MemoryEstimate;
  /** `device`: all of it on GPUs; `host`: some or all of it in the host's memory. */
  place: "device" | "host";
}

/** Left alone of each kind of memory, for everything else and for what an estimate misses. */
const RESERVE_BYTES = parseBytes("512MiB") ?? 0;
const PREFERRED = "Q4_K_M";

export interface FitOptions {
  candidates: Candidate[];
  /** Undefined if it could not be read: then sizes alone decide. */
  shape: Hyperparameters | undefined;
  /** llama-server's arguments. */
  args: string[];
  free: FreeMemory;
  /** What goes with every candidate, e.g. an image projector. */
  extraBytes: number;
}

/**
 * Chooses among the quantizations of a model.
 *
 * 1. Where there are GPUs: what fits on them. 2. Else what fits on GPUs and host together.
 * 3. Of those, the preferred quantization, Q4_K_M; else the largest.
 * Throws `PullError` with the numbers if nothing fits.
 */
export function chooseFit(options: FitOptions): Fit {
  const { candidates, free } = options;
  const fits = candidates.flatMap((candidate) => {
    if (candidate.format !== "gguf" || candidate.sizeBytes === null) return [];
    return [{ candidate, estimate: estimateOf(candidate.sizeBytes, options) }];
  });
  const rooms = [
    ["device", free.device - RESERVE_BYTES],
    ["host", Math.max(0, free.device - RESERVE_BYTES) + free.host - RESERVE_BYTES],
  ] as const;
  for (const [place, room] of rooms) {
    const inside = fits.filter(({ estimate }) => estimate.total <= room);
    const preferred = inside.find(({ candidate }) =>
      isSameQuantization(candidate.quantization, PREFERRED),
    );
    const largest = inside.toSorted((a, b) => b.estimate.weights - a.estimate.weights)[0];
    const chosen = preferred ?? largest;
    if (chosen !== undefined) return { ...chosen, place };
  }
  throw new PullError("no_artifact", refusal(fits, free));
}

function estimateOf(sizeBytes: number, options: FitOptions): MemoryEstimate {
  const weights = sizeBytes + options.extraBytes;
  const { shape, args } = options;
  if (shape === undefined) return { weights, cache: 0, compute: 0, total: weights };
  return estimateMemory(shape, contextOf(args, shape), weights);
}

function refusal(fits: Omit<Fit, "place">[], { device, host }: FreeMemory): string {
  const smallest = fits.toSorted((a, b) => a.estimate.total - b.estimate.total)[0];
  if (smallest === undefined) {
    return "Nothing of the model can be run here: it has no GGUF file of known size.";
  }
  const { candidate, estimate } = smallest;
  const gpus = device > 0 ? `${formatBytes(device)} of GPU memory and ` : "";
  return `Nothing of the model fits: the smallest, ${candidate.quantization ?? candidate.name}, \
takes ${formatBytes(estimate.total)} (weights ${formatBytes(estimate.weights)}, cache \
${formatBytes(estimate.cache)}, computing ${formatBytes(estimate.compute)}), but ${gpus}\
${formatBytes(host)} of host memory are free, ${formatBytes(RESERVE_BYTES)} of each of which are \
left alone. Unload other models, lower --ctx-size or --parallel, or use a larger machine.`;
}
