import { describe, expect, test } from "bun:test";
import { PromptCaches } from "./promptcaches.ts";

const GIB = 1024 ** 3;
const RESERVE = 512 * 1024 ** 2;
const sizeOf = (args: string[]) => Number(args[args.indexOf("--cache-ram") + 1]);

describe("the memory for kept prompts", () => {
  test("is an eighth of the host's for all engines together, and at most 8 GiB", () => {
    for (const [availableBytes, mib] of [
      [16 * GIB, 2048],
      [512 * GIB, 8192],
    ] as const) {
      const caches = new PromptCaches(() => availableBytes + RESERVE);
      const sizes = Array.from({ length: 20 }, (_, n) => sizeOf(caches.argsFor(String(n), [])));
      expect(sizes.slice(0, 3)).toEqual([mib / 2, mib / 4, mib / 8]);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(mib);
      expect(sizes.at(-1)).toBe(0);
    }
  });

  test("is free again when an engine has ended, and is not taken twice by one", () => {
    const caches = new PromptCaches(() => 16 * GIB + RESERVE);
    expect(sizeOf(caches.argsFor("a", []))).toBe(1024);
    expect(sizeOf(caches.argsFor("a", []))).toBe(1024);
    expect(sizeOf(caches.argsFor("b", []))).toBe(512);
    caches.release("a");
    expect(sizeOf(caches.argsFor("c", []))).toBe(768);
  });

  test("is the operator's where the arguments name it", () => {
    const caches = new PromptCaches(() => 16 * GIB + RESERVE);
    expect(caches.argsFor("a", ["--cache-ram", "100"])).toEqual([]);
    expect(caches.argsFor("b", ["-cram", "-1"])).toEqual([]);
    expect(sizeOf(caches.argsFor("c", []))).toBe(1024);
  });
});
