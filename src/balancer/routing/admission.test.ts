import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { admission, admit } from "./admission.ts";

const at = (waiting: number) => admission({ waiting, max: 100 });

test("admission_control_returns_accept_when_below_50_percent", () => {
  for (const waiting of [0, 1, 25, 49]) expect(at(waiting)).toEqual({ kind: "accept" });
});

test("admission_control_returns_accept_with_delay_when_between_50_and_80_percent", () => {
  expect(at(50)).toEqual({ kind: "delay", delayMs: 10 });
  expect(at(65)).toEqual({ kind: "delay", delayMs: 55 });
  expect(at(79)).toEqual({ kind: "delay", delayMs: 97 });
});

test("admission_control_returns_reject_when_above_80_percent", () => {
  for (const waiting of [80, 81, 100, 1000]) expect(at(waiting)).toEqual({ kind: "reject" });
});

test("admission_control_boundary_values", () => {
  expect([49, 50, 79, 80].map((waiting) => at(waiting).kind)).toEqual([
    "accept",
    "delay",
    "delay",
    "reject",
  ]);
});

test("the delay lies between 10 and 99 ms and grows with the fill, whatever the limit", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), (max) => {
      let last = 10;
      for (let waiting = 0; waiting < max; waiting += 1) {
        const one = admission({ waiting, max });
        if (one.kind !== "delay") continue;
        expect(one.delayMs).toBeGreaterThanOrEqual(last);
        expect(one.delayMs).toBeLessThan(100);
        last = one.delayMs;
      }
    }),
    { numRuns: 20 },
  );
});

describe("to a queue with several clients", () => {
  test("one client alone is admitted by fill", () => {
    for (let waiting = 1; waiting <= 100; waiting += 1) {
      const fill = { waiting, max: 100, own: waiting, clients: 1 };
      expect(admit(fill)).toEqual(admission(fill));
    }
  });

  test("a client that others crowd out is admitted up to the limit, the others are not", () => {
    const fill = { waiting: 80, max: 100, clients: 2 };
    expect(admit({ ...fill, own: 80 })).toEqual({ kind: "reject" });
    expect(admit({ ...fill, own: 0 })).toEqual({ kind: "accept" });
    expect(admit({ ...fill, waiting: 99, own: 24 })).toEqual({ kind: "accept" });
    expect(admit({ ...fill, waiting: 99, own: 25 })).toEqual({ kind: "delay", delayMs: 10 });
    expect(admit({ ...fill, waiting: 99, own: 40 })).toEqual({ kind: "reject" });
    expect(admit({ ...fill, waiting: 100, own: 0 })).toEqual({ kind: "reject" });
  });

  test("the shorter of both delays holds", () => {
    const fill = { max: 100, clients: 3 };
    expect(admit({ ...fill, waiting: 79, own: 17 })).toEqual({ kind: "delay", delayMs: 13 });
    expect(admit({ ...fill, waiting: 51, own: 25 })).toEqual({ kind: "delay", delayMs: 13 });
  });

  test("a queue for one takes one, a queue for none takes none", () => {
    expect(admit({ waiting: 0, max: 1, own: 0, clients: 1 })).toEqual({ kind: "accept" });
    expect(admit({ waiting: 1, max: 1, own: 1, clients: 1 })).toEqual({ kind: "reject" });
    expect(admit({ waiting: 0, max: 0, own: 0, clients: 1 })).toEqual({ kind: "reject" });
  });
});
