import { readHostMemory } from "../../../lib/hostmemory.ts";
import { freeMemoryOf, MEMORY_RESERVE_BYTES, promptCacheBytes } from "../../../model/memory.ts";
import type { Device } from "../../../wire/system.ts";
import type { MemoryReading } from "./ledger.ts";
import { HOST } from "./memory.ts";

/** Left free on a device: llama.cpp's own `--fit-target`, so that both count alike. */
const DEVICE_RESERVE_BYTES = 1024 ** 3;

/**
 * Returns a function that reads what devices and host have free for engines. Of the host's, some
 * stays free, and what engines may keep of prompts, as the first reading has it, is taken off.
 */
export function memoryReader(
  devices: () => Promise<Device[]>,
  host = readHostMemory,
): () => Promise<MemoryReading> {
  let promptsBytes: number | undefined;
  return async () => {
    const listed = await devices();
    const available = freeMemoryOf(listed, host()).host;
    const isFirst = promptsBytes === undefined;
    promptsBytes ??= promptCacheBytes(available);
    // Later, what is kept of prompts is among what is not available any more.
    const kept = isFirst ? promptsBytes : 0;
    const own = listed.filter(({ type }) => type === "gpu");
    const less = (bytes: number) => Math.max(0, bytes - DEVICE_RESERVE_BYTES);
    return {
      free: {
        ...Object.fromEntries(own.map((gpu) => [gpu.name, less(gpu.free_memory_bytes)])),
        [HOST]: Math.max(0, available - kept - MEMORY_RESERVE_BYTES),
      },
      size: Object.fromEntries(own.map((gpu) => [gpu.name, less(gpu.total_memory_bytes)])),
    };
  };
}
