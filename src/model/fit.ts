import type { NodeFit } from "../wire/preview.ts";
import { MEMORY_RESERVE_BYTES, requiredMemory } from "./memory.ts";

/** The memory of a node for models, in bytes. */
export interface NodeMemory {
  /** Of its GPUs. */
  device: number;
  /** Of GPUs and host together; undefined: it does not tell. */
  all: number | undefined;
}

/**
 * Whether weights of a size would run on a node, as far as their size tells. The node decides with
 * what it reads in their header.
 *
 * 1. The node does not tell its memory: `unknown`.
 * 2. What a model of the size takes as a rule is there on GPUs: `device`.
 * 3. It is there on GPUs and host together: `host`.
 * 4. The weights alone fit: `shortened`, as the context gets what is left.
 * 5. Else `too_large`.
 */
export function fitOf(weightsBytes: number, { device, all }: NodeMemory): NodeFit {
  if (all === undefined) return "unknown";
  const required = requiredMemory(weightsBytes);
  // GPUs without memory of their own have the host's.
  if (required <= Math.min(device - MEMORY_RESERVE_BYTES, all)) return "device";
  if (required <= all) return "host";
  return weightsBytes <= all ? "shortened" : "too_large";
}
