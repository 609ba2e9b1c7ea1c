import { expect, test } from "bun:test";
import { loaderAdvice, noDeviceAdvice } from "./advice.ts";

const FAILED = ": cannot open shared object file: No such file or directory";

test.each([
  ["libcuda.so.1", "NVIDIA's driver is missing"],
  ["libcudart.so.13", "cuda-libraries-13-0"],
  ["libcublas.so.13", "cuda-libraries-13-0"],
  ["libvulkan.so.1", "libvulkan1"],
])("a host without %s is told what to install", (library, words) => {
  expect(loaderAdvice(library + FAILED)).toContain(words);
});

test("what nobody knows is told in the loader's words", () => {
  expect(loaderAdvice(`libodd.so${FAILED}`)).toBe(`libodd.so${FAILED}`);
});

test("a driver that is too old is told from one without a GPU", () => {
  expect(noDeviceAdvice("cuda", "535.183.01")).toContain("535.183.01 is too old");
  expect(noDeviceAdvice("cuda", "580.65.06")).toContain("shows no GPU");
  expect(noDeviceAdvice("cuda", undefined)).toContain("shows no GPU");
  expect(noDeviceAdvice("vulkan", undefined)).toContain("mesa-vulkan-drivers");
});
