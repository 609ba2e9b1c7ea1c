import { expect, test } from "bun:test";
import type { Device } from "../wire/system.ts";
import { backendOf } from "./hardware.ts";

const device = (name: string, type: Device["type"]): Device => ({
  ...{ name, type, description: "", total_memory_bytes: 1, free_memory_bytes: 1 },
});

test.each([
  [[], "cpu"],
  [[device("CPU", "cpu")], "cpu"],
  [[device("BLAS", "accel"), device("CPU", "cpu")], "cpu"],
  [[device("CUDA0", "gpu"), device("CUDA1", "gpu"), device("CPU", "cpu")], "cuda"],
  [[device("CPU", "cpu"), device("Vulkan0", "igpu")], "vulkan"],
  [[device("MTL0", "gpu"), device("CPU", "cpu")], "metal"],
])("the backend of %j is %s", (devices, backend) => {
  expect(backendOf(devices)).toBe(backend);
});
