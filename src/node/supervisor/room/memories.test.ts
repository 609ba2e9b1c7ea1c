import { expect, test } from "bun:test";
import type { Device } from "../../../wire/system.ts";
import { HostMemories } from "./memories.ts";

const device = (name: string, type: Device["type"], total: number, free: number): Device => ({
  ...{ name, type, description: `a ${name}` },
  ...{ total_memory_bytes: total, free_memory_bytes: free },
});
const CPU = device("CPU", "cpu", 500, 400);

test("what engines do not have of what is used, others have", () => {
  let used: Record<string, number> = { CUDA0: 60, host: 30 };
  const memories = new HostMemories(
    () => used,
    () => ({ total: 1000, available: 900 }),
  );
  expect(memories.list()).toEqual([]);
  memories.read([device("CUDA0", "gpu", 100, 20), CPU, device("Vulkan0", "igpu", 9, 9)]);
  const read = [
    { name: "CUDA0", description: "a CUDA0", total_bytes: 100, other_bytes: 20 },
    { name: "host", description: "a CPU", total_bytes: 1000, other_bytes: 70 },
  ];
  expect(memories.list()).toEqual(read);
  used = {};
  expect(memories.list()).toEqual(read);
});

test("files that the system may drop from memory make nobody else have less than nothing", () => {
  const memories = new HostMemories(
    () => ({ host: 300 }),
    () => ({ total: 1000, available: 900 }),
  );
  memories.read([CPU]);
  expect(memories.list()).toMatchObject([{ name: "host", other_bytes: 0 }]);
});

test("where the system tells nothing of the host, the processor's memory is it", () => {
  const memories = new HostMemories(
    () => ({}),
    () => undefined,
  );
  memories.read([CPU]);
  expect(memories.list()).toEqual([
    { name: "host", description: "a CPU", total_bytes: 500, other_bytes: 100 },
  ]);
});
