import { readHostMemory } from "../../../lib/hostmemory.ts";
import type { HostMemoryView } from "../../../wire/host.ts";
import type { Device } from "../../../wire/system.ts";
import { bytesIn, HOST, type Memory } from "./memory.ts";

/** The memory of each device that has its own, and the host's, with what others use of it. */
export class HostMemories {
  readonly #used: () => Memory;
  readonly #readHost: typeof readHostMemory;
  #last: readonly HostMemoryView[] = [];

  /** `used` is what all engines have. */
  constructor(used: () => Memory, readHost = readHostMemory) {
    this.#used = used;
    this.#readHost = readHost;
  }

  /**
   * As they were read last; none before that. What others use is known from readings alone: what
   * engines take or leave between two of them does not change it.
   */
  list(): readonly HostMemoryView[] {
    return this.#last;
  }

  /** Takes a list of devices that was read just now. */
  readonly read = (devices: readonly Device[]): void => {
    const used = this.#used();
    const processor = devices.find(({ type }) => type === "cpu");
    const own = devices.filter(({ type }) => type === "gpu").map(sizeOf);
    const host = this.#readHost();
    const { description = HOST } = processor ?? {};
    const hosts = host
      ? [{ name: HOST, description, total: host.total, free: host.available }]
      : processor === undefined
        ? []
        : [{ ...sizeOf(processor), name: HOST }];
    this.#last = [...own, ...hosts].map(({ name, description, total, free }) => ({
      ...{ name, description, total_bytes: total },
      other_bytes: Math.max(0, total - free - bytesIn(used, name)),
    }));
  };
}

function sizeOf(device: Device) {
  const { name, description, total_memory_bytes: total, free_memory_bytes: free } = device;
  return { name, description: description || name, total, free };
}
