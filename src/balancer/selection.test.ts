import { describe, expect, test } from "bun:test";
import type { HealthStatus } from "./health.ts";
import { select } from "./selection.ts";

function candidate(name: string, inFlight: number, status: HealthStatus = "online") {
  return { name, inFlight, health: { status } };
}

const a = candidate("a", 0);
const b = candidate("b", 0);
const c = candidate("c", 0);

describe("select", () => {
  test("takes the one with the fewest requests in flight", () => {
    const candidates = [candidate("x", 3), candidate("y", 1), candidate("z", 2)];
    for (const turn of [0, 1, 2, 7]) {
      expect(select({ candidates, tried: [], turn })?.name).toBe("y");
    }
  });

  test("goes round among equals", () => {
    const names = [0, 1, 2, 3].map((turn) => select({ candidates: [a, b, c], tried: [], turn }));
    expect(names).toEqual([a, b, c, a]);
  });

  test("leaves out what is not online and what was tried", () => {
    const candidates = [a, candidate("off", 0, "offline"), candidate("new", 0, "pending"), b];
    expect(select({ candidates, tried: [a], turn: 1 })).toBe(b);
    expect(select({ candidates, tried: [a, b], turn: 0 })).toBeUndefined();
  });

  test("finds nothing in nothing", () => {
    expect(select({ candidates: [], tried: [], turn: 5 })).toBeUndefined();
  });
});
