import { freemem } from "node:os";
import type { HostMemory } from "../lib/hostmemory.ts";
import type { Device } from "../wire/system.ts";
import { contextOf, type EngineContext } from "./enginecontext.ts";
import type { Hyperparameters } from "./hyperparameters.ts";

/** Memory that an engine takes, in bytes. */
export interface MemoryEstimate {
  weights: number;
  /** Keys and values, and the states of recurrent layers. */
  cache: number;
  compute: number;
  total: number;
}

const CELLS_STEP = 256;

export interface EngineLoad {
  /** Bytes of all weights, an image projector's included. */
  weightsBytes: number;
  /** Undefined if they could not be read: then only the weights count. */
  hyperparameters: Hyperparameters | undefined;
  /** llama-server's arguments. */
  args: string[];
}

/**
 * The memory that a model takes when llama.cpp runs it: its weights; keys and values for each layer
 * and each cell of the cache; and the largest stage of the computation.
 */
export function estimateMemory({
  weightsBytes: weights,
  hyperparameters: model,
  args,
}: EngineLoad): MemoryEstimate {
  if (model === undefined) return { weights, cache: 0, compute: 0, total: weights };
  const context = contextOf(args, model);
  const { cells, windowCells, streams } = cellsOf(model, context);
  let cache = 0;
  for (const { keys, values, sliding, state } of model.layers) {
    const rows = (sliding ? windowCells : cells) * streams;
    cache += rows * (keys * context.keyBytes + values * context.valueBytes);
    cache += state * 4 * context.slots;
  }
  const compute = computeBytes(model, context);
  return { weights, cache, compute, total: weights + cache + compute };
}

/** Cells of the cache, for a layer that sees the whole context and for one with a window. */
function cellsOf(model: Hyperparameters, context: EngineContext) {
  const streams = context.unified ? 1 : context.slots;
  const cells = padded(Math.ceil(context.tokens / streams));
  const window = model.window * (context.unified ? context.slots : 1) + context.batch;
  const windowCells = context.fullWindow ? cells : Math.min(cells, padded(window));
  return { cells, windowCells, streams };
}

/**
 * Bytes of the largest stage. Measured with llama.cpp: feed-forward holds three rows of its width
 * and four of the embedding's for each token, the last stage the scores of the vocabulary and one
 * row of the embedding's width.
 */
function computeBytes(model: Hyperparameters, context: EngineContext): number {
  const { cells, windowCells } = cellsOf(model, context);
  const batch = Math.min(context.batch, context.tokens);
  const stages = Math.max(
    3 * model.feedForward + 4 * model.embedding,
    model.vocabulary + model.embedding,
  );
  const sliding = model.layers.some((layer) => layer.sliding);
  const seen = cells + (sliding ? windowCells : 0);
  const attends = model.layers.some(({ keys }) => keys > 0);
  const perCell = context.flashAttention ? 2 : 4 + 4 * model.heads;
  const attention = attends ? (context.flashAttention ? seen : cells) * batch * perCell : 0;
  return stages * batch * 4 + attention + context.slots * model.vocabulary * 4;
}

function padded(cells: number): number {
  return Math.ceil(cells / CELLS_STEP) * CELLS_STEP;
}

/** What a model takes besides its weights, as a rule of thumb. */
const OVERHEAD = 1.5;

/** Memory for a model of which only the size of the weights is known, in bytes. */
export function requiredMemory(weightsBytes: number): number {
  return Math.ceil(weightsBytes * OVERHEAD);
}

/** Memory that is free now, in bytes. */
export interface FreeMemory {
  /** Of all GPUs with memory of their own. */
  device: number;
  host: number;
}

/**
 * The free memory of a host: that of its devices, and its own, where the system tells that.
 * A GPU without memory of its own does not count: it uses the host's.
 */
export function freeMemoryOf(devices: Device[], host: HostMemory | undefined): FreeMemory {
  const free = (type: Device["type"]) =>
    devices.filter((device) => device.type === type).map((device) => device.free_memory_bytes);
  const device = free("gpu").reduce((sum, bytes) => sum + bytes, 0);
  return { device, host: host?.available ?? free("cpu")[0] ?? freemem() };
}

/** Left free of each kind of memory, for everything else and for what an estimate misses. */
export const MEMORY_RESERVE_BYTES = 512 * 1024 * 1024;

/** Where an engine's memory is: all of it on GPUs, or some or all of it in the host's memory. */
export type MemoryPlace = "device" | "host";

/** llama.cpp's default for what one engine keeps of prompts. */
const PROMPT_CACHE_BYTES_MAX = 8 * 1024 ** 3;
const PROMPT_CACHE_SHARE = 1 / 8;

/**
 * Bytes of the host's memory for prompts that engines keep to read them again, all of them
 * together: a share of what is free, but for what is left alone.
 */
export function promptCacheBytes(freeBytes: number): number {
  const share = Math.floor((freeBytes - MEMORY_RESERVE_BYTES) * PROMPT_CACHE_SHARE);
  return Math.max(0, Math.min(PROMPT_CACHE_BYTES_MAX, share));
}

/**
 * Memory that an engine may take in a place, in bytes, GPUs before the host's. Of the host's, what
 * engines may keep of prompts is taken off.
 */
export function usableMemory({ device, host }: FreeMemory): [place: MemoryPlace, bytes: number][] {
  const onDevice = device - MEMORY_RESERVE_BYTES;
  return [
    ["device", onDevice],
    ["host", Math.max(0, onDevice) + host - promptCacheBytes(host) - MEMORY_RESERVE_BYTES],
  ];
}
