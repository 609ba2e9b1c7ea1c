import { expect, test } from "bun:test";
import { Ticker, type Ticking } from "./ticker.ts";

class Counter implements Ticking {
  place = -1;
  ticks = 0;
  onTick: () => unknown = () => undefined;

  tick(): void {
    this.ticks += 1;
    this.onTick();
  }
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await Bun.sleep(1);
}

test("a ticker calls all that were added until they are removed, in whatever order", async () => {
  const ticker = new Ticker();
  const all = Array.from({ length: 5 }, () => new Counter());
  const [first, , third, , last] = all as [Counter, Counter, Counter, Counter, Counter];
  for (const one of all) ticker.add(one);
  await until(() => all.every(({ ticks }) => ticks > 0));
  for (const one of [first, last, third]) ticker.remove(one);
  ticker.remove(first);
  const before = all.map(({ ticks }) => ticks);
  await until(() => (all[1]?.ticks ?? 0) > (before[1] ?? 0) + 1);
  const after = all.map(({ ticks }, i) => ticks > (before[i] ?? 0));
  expect(after).toEqual([false, true, false, true, false]);
  ticker.add(third);
  await until(() => third.ticks > (before[2] ?? 0));
  for (const one of all) ticker.remove(one);
});

test("a ticker passes nobody over when one is removed in its tick", async () => {
  const ticker = new Ticker();
  const all = Array.from({ length: 4 }, () => new Counter());
  for (const one of all) {
    one.onTick = () => ticker.remove(one);
    ticker.add(one);
  }
  const other = new Counter();
  ticker.add(other);
  await until(() => other.ticks > 0);
  expect(all.map(({ ticks }) => ticks)).toEqual([1, 1, 1, 1]);
  ticker.remove(other);
});
