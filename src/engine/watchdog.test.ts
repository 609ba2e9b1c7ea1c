import { describe, expect, test } from "bun:test";
import { Watchdog } from "./watchdog.ts";

/** The first verdict in a row of looks, with what the engine tells before each. */
function verdict(beats: (number | undefined)[]): string | undefined {
  const watchdog = new Watchdog();
  for (const stalledMs of beats) {
    if (stalledMs !== undefined) watchdog.beat(stalledMs);
    const found = watchdog.look();
    if (found !== undefined) return found;
  }
  return undefined;
}

const silence = (looks: number) => Array.from({ length: looks }, () => undefined);

describe("an engine", () => {
  test("that answers is left alone, however long it decodes", () => {
    expect(verdict(Array.from({ length: 1000 }, () => 0))).toBeUndefined();
    expect(verdict([0, 9000, 10_000, 0, 9000])).toBeUndefined();
  });

  test("whose loop owes an answer for more than 10 s is stuck", () => {
    expect(verdict([0, 9000, 10_001])).toBeUndefined();
    expect(verdict([0, 10_001, 11_001])).toContain("stuck for over 10 s");
  });

  test("that was stopped for a while with the whole machine is not", () => {
    expect(verdict([0, 60_000, 0])).toBeUndefined();
  });

  test("that is silent for 20 looks is stuck", () => {
    expect(verdict([...silence(20), 0, ...silence(19)])).toBeUndefined();
    expect(verdict([0, ...silence(21)])).toContain("no sign of life for 20 s");
  });
});
