import { expect, test } from "bun:test";
import { fitOf } from "./fit.ts";

const GB = 2 ** 30;

test("weights fit on GPUs, beside the host's memory, without room for context, or not", () => {
  const memory = { device: 24 * GB, all: 60 * GB };
  expect([10, 20, 50, 70].map((size) => fitOf(size * GB, memory))).toEqual([
    ...(["device", "host", "shortened", "too_large"] as const),
  ]);
});

test("a node without GPUs has its host's memory, and one that tells nothing is unknown", () => {
  expect(fitOf(4 * GB, { device: 0, all: 8 * GB })).toBe("host");
  expect(fitOf(4 * GB, { device: 24 * GB, all: undefined })).toBe("unknown");
});
