import { ALL, type Memory, mapMemory, totalOf } from "./memory.ts";

/** What llama.cpp calls the devices of other hosts begins so; their memory is not this node's. */
const LENT_DEVICE = "RPC";

/** Whether a device is one of another host. */
export function isLent(name: string): boolean {
  return name.startsWith(LENT_DEVICE);
}

/** The name of a device of another host, in the order in which llama.cpp finds them. */
export function lentDevice(index: number): string {
  return LENT_DEVICE + index;
}

/** What an engine can have, with the devices that others lend it. */
export function withLent(most: Memory, lent: Memory): Memory {
  const all = totalOf(lent);
  return { ...mapMemory(most, (bytes, name) => (name === ALL ? bytes + all : bytes)), ...lent };
}

/** What of an engine's memory is on this host. */
export function withoutLent(memory: Memory): Memory {
  return Object.fromEntries(Object.entries(memory).filter(([name]) => !isLent(name)));
}
