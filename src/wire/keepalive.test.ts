import { expect, test } from "bun:test";
import { parseKeepAlive } from "./keepalive.ts";

test.each<[unknown, number | undefined]>([
  [0, 0],
  ["0", 0],
  ["0s", 0],
  [300, 300_000],
  ["300", 300_000],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["1.5s", 1500],
  [0.5, 500],
  [-1, Number.POSITIVE_INFINITY],
  ["-1", Number.POSITIVE_INFINITY],
  ["-1m", Number.POSITIVE_INFINITY],
  ["10000h", Number.POSITIVE_INFINITY],
  [1e300, Number.POSITIVE_INFINITY],
  ["", undefined],
  ["soon", undefined],
  ["5 minutes", undefined],
  [Number.NaN, undefined],
  [null, undefined],
  [true, undefined],
])("%j keeps a model for %p ms", (value, ms) => expect(parseKeepAlive(value)).toBe(ms as number));
