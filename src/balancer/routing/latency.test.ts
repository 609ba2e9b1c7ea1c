import { expect, test } from "bun:test";
import { Latency, nextEma } from "./latency.ts";

test("the first sample is the average, further ones count a fifth: 100, 120, 116", () => {
  const latency = new Latency();
  const seen = [100, 200, 100].map((sample) => {
    latency.record(sample, 0);
    return latency.emaMs;
  });
  expect(seen).toEqual([100, 120, 116]);
});

test.each([null, undefined, Number.NaN, Number.POSITIVE_INFINITY])(
  "an average of %p is replaced by the sample",
  (average) => expect(nextEma(average, 70)).toBe(70),
);

test("an endpoint that goes offline is unmeasured; its next sample counts fully", () => {
  const latency = new Latency();
  latency.record(100, 5);
  latency.reset();
  expect(latency.emaMs).toBe(Number.POSITIVE_INFINITY);
  expect(latency.stored).toBeNull();
  expect(10 - latency.sampledAtMs).toBe(Number.POSITIVE_INFINITY);
  latency.record(300, 20);
  expect(latency.emaMs).toBe(300);
});

test("a stored average is restored with its age, null as unmeasured", () => {
  const latency = new Latency();
  latency.restore(80, 1000);
  expect([latency.emaMs, 1500 - latency.sampledAtMs, latency.stored]).toEqual([80, 500, 80]);
  latency.restore(null, 1000);
  expect([latency.emaMs, latency.sampledAtMs]).toEqual([Infinity, -Infinity]);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])("a sample of %p is left out", (sample) => {
  const latency = new Latency();
  latency.record(100, 0);
  latency.record(sample, 9);
  expect([latency.emaMs, latency.sampledAtMs]).toEqual([100, 0]);
});
