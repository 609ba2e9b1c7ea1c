import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { TICK_MS, Ticker, type Ticking } from "./ticker.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

class Counter implements Ticking {
  place = -1;
  ticks = 0;
  onTick: () => unknown = () => undefined;

  tick(): void {
    this.ticks += 1;
    this.onTick();
  }
}

/** Lets time pass until something holds; throws after ten ticks. */
function until(isDone: () => boolean): void {
  for (let ticks = 0; !isDone(); ticks += 1) {
    if (ticks === 10) throw new Error("it does not come about");
    jest.advanceTimersByTime(TICK_MS);
  }
}

test("a ticker calls all that were added until they are removed, in whatever order", () => {
  const ticker = new Ticker();
  const all = Array.from({ length: 5 }, () => new Counter());
  const [first, , third, , last] = all as [Counter, Counter, Counter, Counter, Counter];
  for (const one of all) ticker.add(one);
  until(() => all.every(({ ticks }) => ticks > 0));
  for (const one of [first, last, third]) ticker.remove(one);
  ticker.remove(first);
  const before = all.map(({ ticks }) => ticks);
  until(() => (all[1]?.ticks ?? 0) > (before[1] ?? 0) + 1);
  const after = all.map(({ ticks }, i) => ticks > (before[i] ?? 0));
  expect(after).toEqual([false, true, false, true, false]);
  ticker.add(third);
  until(() => third.ticks > (before[2] ?? 0));
  for (const one of all) ticker.remove(one);
});

test("a ticker passes nobody over when one is removed in its tick", () => {
  const ticker = new Ticker();
  const all = Array.from({ length: 4 }, () => new Counter());
  for (const one of all) {
    one.onTick = () => ticker.remove(one);
    ticker.add(one);
  }
  const other = new Counter();
  ticker.add(other);
  until(() => other.ticks > 0);
  expect(all.map(({ ticks }) => ticks)).toEqual([1, 1, 1, 1]);
  ticker.remove(other);
});
