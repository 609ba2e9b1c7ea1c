import { readHostMemory } from "../../../lib/hostmemory.ts";
import { freeMemoryOf, usableMemory } from "../../../model/memory.ts";
import type { Device } from "../../../wire/system.ts";
import type { MemoryBudget } from "./room.ts";

/**
 * The memory that engines may have together: what the operator says, else what the devices and the
 * host have free before the first engine starts.
 */
export async function memoryBudget(
  setBytes: number | null,
  devices: () => Promise<Device[]>,
): Promise<MemoryBudget> {
  if (setBytes !== null) return { bytes: setBytes, isGuess: false };
  const all = usableMemory(freeMemoryOf(await devices(), readHostMemory()));
  return { bytes: Math.max(0, ...all.map(([, bytes]) => bytes)), isGuess: true };
}
