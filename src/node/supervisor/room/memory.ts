/** Bytes by the memory that they are in: `HOST`, or the name of a device with its own. */
export type Memory = Readonly<Record<string, number>>;

/** The host's memory, in which devices without their own are, too. */
export const HOST = "host";

/** In a budget: every memory together. */
export const ALL = "all";

/** What is taken of a memory; of `ALL`, the sum. */
export function bytesIn(memory: Memory, name: string): number {
  return name === ALL ? totalOf(memory) : (memory[name] ?? 0);
}

export function totalOf(memory: Memory): number {
  return Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);
}

export function sumOf(all: Iterable<Memory>): Memory {
  const sum: Record<string, number> = {};
  for (const memory of all) {
    for (const [name, bytes] of Object.entries(memory)) sum[name] = (sum[name] ?? 0) + bytes;
  }
  return sum;
}

/** The memories of a budget, each with the bytes that `change` makes of it. */
export function mapMemory(budget: Memory, change: (bytes: number, name: string) => number): Memory {
  return Object.fromEntries(
    Object.entries(budget).map(([name, bytes]) => [name, change(bytes, name)]),
  );
}

/** The memories of a budget, each with what `more` has of it. */
export function withMore(budget: Memory, more: Memory): Memory {
  return mapMemory(budget, (bytes, name) => bytes + bytesIn(more, name));
}

/** Whether `need` is there in each memory that `free` has. */
export function fitsInto(need: Memory, free: Memory): boolean {
  return Object.entries(free).every(([name, bytes]) => bytesIn(need, name) <= bytes);
}
