import { expect, test } from "bun:test";
import { FilePace, type RangePace } from "./rangepace.ts";

const WINDOW_MS = 30_000;
const MIB = 2 ** 20;

/** Lets bytes come every second; returns after how many seconds the range was slow, if ever. */
function slowAfter(pace: RangePace, bytesPerS: number, options: { fromS?: number; fair?: number }) {
  const { fromS = 0, fair } = options;
  for (let s = fromS + 1; s <= fromS + 2000; s += 1) {
    if (pace.isSlow(bytesPerS, s * 1000, fair)) return s - fromS;
  }
  return undefined;
}

/** A file of which one range came at this rate. */
function fileWith(bytesPerS: number): FilePace {
  const file = new FilePace(WINDOW_MS);
  const fast = file.range(0);
  fast.isSlow(bytesPerS, 1000);
  fast.end(1000);
  return file;
}

test("a range that is far slower than another was is slow after a window", () => {
  expect(slowAfter(fileWith(10 * MIB).range(0), 512, {})).toBe(30);
  expect(slowAfter(fileWith(10 * MIB).range(0), MIB / 4, {})).toBe(30);
  expect(slowAfter(fileWith(10 * MIB).range(0), MIB, {})).toBeUndefined();
});

test("a range alone is slow below 1 KiB/s, or when it was fast before", () => {
  expect(slowAfter(new FilePace(WINDOW_MS).range(0), 512, {})).toBe(30);
  expect(slowAfter(new FilePace(WINDOW_MS).range(0), 2048, {})).toBeUndefined();
  const pace = new FilePace(WINDOW_MS).range(0);
  for (let s = 1; s <= 30; s += 1) pace.isSlow(MIB, s * 1000);
  expect(slowAfter(pace, 2048, { fromS: 30 })).toBe(30);
});

test("a server that gives no more is asked more and more seldom", () => {
  const pace = fileWith(10 * MIB).range(0);
  const waits: number[] = [];
  for (let at = 0; waits.length < 6; at += waits.at(-1) ?? 0) {
    waits.push(slowAfter(pace, 512, { fromS: at }) ?? 0);
  }
  expect(waits).toEqual([30, 60, 120, 240, 480, 480]);
});

test("what our own limit makes slow is not", () => {
  const fair = 4096 / 1000;
  expect(slowAfter(fileWith(10 * MIB).range(0), 4096, { fair })).toBeUndefined();
  expect(slowAfter(fileWith(10 * MIB).range(0), 100, { fair })).toBe(30);
});
