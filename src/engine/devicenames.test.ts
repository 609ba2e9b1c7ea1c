import { expect, test } from "bun:test";
import type { Device } from "../wire/system.ts";
import { deviceArguments, noSuchDevice } from "./devicenames.ts";

const device = (name: string, type: Device["type"]): Device => ({
  ...{ name, type, description: "", total_memory_bytes: 1, free_memory_bytes: 1 },
});

test("a device that is not there is told with those that are", () => {
  const cpu = device("CPU", "cpu");
  expect(noSuchDevice("X", [cpu])).toContain(
    "no device X is here: there is none but the processor",
  );
  expect(noSuchDevice("X", [cpu, device("CUDA0", "gpu")])).toContain("there is CUDA0, or none");
  const two = [device("CUDA0", "gpu"), device("CUDA1", "gpu"), cpu];
  expect(noSuchDevice("X", two)).toContain("there are CUDA0, CUDA1, or none");
});

test.each([
  ["--ctx-size 5", ""],
  ["--device CUDA0 --ctx-size 5", "--device CUDA0"],
  ["--temp 1 -dev=A,B", "-dev A,B"],
  ["--device", ""],
])("of the arguments %j, %j name devices", (args, expected) => {
  expect(deviceArguments(args.split(" ")).join(" ")).toBe(expected);
});
