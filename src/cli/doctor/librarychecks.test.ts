import { expect, test } from "bun:test";
import type { LibraryStatus } from "../../engine/libraryreport.ts";
import { brokenLibraries } from "./librarychecks.ts";

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
    brokenLibraries(libraries, { hasGpu, plugins: "/plugins" }).map(({ file }) => file);
  expect(names(own, false)).toEqual([]);
  expect(names(own, true)).toEqual(["/own/libggml-vulkan.so"]);
  expect(names([...own, plugin], false)).toEqual(["/plugins/libggml-cuda.so"]);
  expect(names([{ ...library("/own/libllmlb.so", false), kind: "core" }], false)).toHaveLength(1);
});
