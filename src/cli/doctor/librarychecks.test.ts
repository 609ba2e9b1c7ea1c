import { expect, test } from "bun:test";
import type { LibraryStatus } from "../../engine/libraryreport.ts";
import type { Device } from "../../wire/system.ts";
import { brokenLibraries, checkGpus } from "./librarychecks.ts";

const library = (file: string, loaded: boolean): LibraryStatus => ({
  ...{ file, loaded, kind: "backend" },
});

test("libraries that should load and do not are a problem", () => {
  const own = [
    library("/own/libggml-cpu-haswell.so", true),
    library("/own/libggml-cpu-sapphirerapids.so", false),
    library("/own/libggml-vulkan.so", false),
  ];
  const plugin = library("/plugins/libggml-cuda.so", false);
  const names = (libraries: LibraryStatus[], hasGpu: boolean) =>
    brokenLibraries(libraries, { hasGpu, plugins: ["/plugins"] }).map(({ file }) => file);
  expect(names(own, false)).toEqual([]);
  expect(names(own, true)).toEqual(["/own/libggml-vulkan.so"]);
  expect(names([...own, plugin], false)).toEqual(["/plugins/libggml-cuda.so"]);
  expect(names([{ ...library("/own/libllmlb.so", false), kind: "core" }], false)).toHaveLength(1);
});

test("a GPU that nothing computes on is a problem, one that is used or none is not", () => {
  const device = (type: Device["type"]): Device => ({
    ...{ name: type, description: "", type, total_memory_bytes: 1, free_memory_bytes: 1 },
  });
  const seen = [{ vendor: "AMD", address: "0000:01:00.0" } as const];
  const skipped = [{ backend: "vulkan", reason: "the Vulkan loader is missing" } as const];
  const problem = {
    state: "problem",
    text: expect.stringContaining("AMD (0000:01:00.0, no driver)"),
    details: ["vulkan: the Vulkan loader is missing"],
  };
  expect(checkGpus(seen, [device("cpu")], skipped)).toMatchObject([problem]);
  expect(checkGpus(seen, [device("cpu"), device("accel")], skipped)).toMatchObject([problem]);
  expect(checkGpus(seen, [device("cpu"), device("gpu")], [])).toEqual([]);
  expect(checkGpus(seen, [device("igpu")], [])).toEqual([]);
  expect(checkGpus([], [device("cpu")], [])).toEqual([]);
});
