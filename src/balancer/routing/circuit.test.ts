import { expect, test } from "bun:test";
import { Circuit } from "./circuit.ts";

const OPTIONS = { failuresMax: 3, firstMs: 1000, maxMs: 3000 };

function opened(): Circuit {
  const circuit = new Circuit(OPTIONS);
  for (let i = 0; i < 3; i += 1) circuit.fail(0, false);
  return circuit;
}

test("three failures in a row open the circuit, and say so once", () => {
  const circuit = new Circuit(OPTIONS);
  expect([1, 2, 3, 4].map(() => circuit.fail(0, false))).toEqual([false, false, true, false]);
  expect(circuit.state(999)).toBe("open");
  expect(999 >= circuit.blockedUntilMs).toBe(false);
});

test("a success in between begins the count anew", () => {
  const circuit = new Circuit(OPTIONS);
  circuit.fail(0, false);
  circuit.fail(0, false);
  expect(circuit.succeed()).toBe(false);
  circuit.fail(0, false);
  expect(circuit.fail(0, false)).toBe(false);
  expect(circuit.state(0)).toBe("closed");
});

test("after the back-off one request probes and no other is let through", () => {
  const circuit = opened();
  expect(circuit.state(1000)).toBe("half_open");
  expect(1000 >= circuit.blockedUntilMs).toBe(true);
  expect(circuit.begin(1000)).toBe(true);
  expect(circuit.state(1000)).toBe("probing");
  expect(1_000_000 >= circuit.blockedUntilMs).toBe(false);
});

test("one success closes the circuit", () => {
  const circuit = opened();
  circuit.begin(1000);
  expect(circuit.succeed()).toBe(true);
  expect(circuit.state(1000)).toBe("closed");
  expect(circuit.begin(1000)).toBe(false);
});

test("failing probes double the back-off up to its bound; a success resets it", () => {
  const circuit = opened();
  const waits: number[] = [];
  for (let now = 1000, i = 0; i < 4; i += 1) {
    circuit.begin(now);
    circuit.fail(now, true);
    waits.push(circuit.blockedUntilMs - now);
    now = circuit.blockedUntilMs;
  }
  expect(waits).toEqual([2000, 3000, 3000, 3000]);
  circuit.succeed();
  for (let i = 0; i < 3; i += 1) circuit.fail(0, false);
  expect(circuit.blockedUntilMs).toBe(1000);
});

test("failures of older requests neither prolong the back-off nor decide a probe", () => {
  const circuit = opened();
  expect(circuit.fail(500, false)).toBe(false);
  expect(circuit.blockedUntilMs).toBe(1000);
  circuit.begin(1000);
  expect(circuit.fail(1001, false)).toBe(false);
  expect(circuit.state(1001)).toBe("probing");
});

test("an older request's success closes an open circuit", () => {
  const circuit = opened();
  expect(circuit.succeed()).toBe(true);
  expect(0 >= circuit.blockedUntilMs).toBe(true);
});

test("a probe without a verdict leaves the circuit half open for the next one", () => {
  const circuit = opened();
  circuit.begin(1000);
  circuit.abandon();
  expect(circuit.state(1000)).toBe("half_open");
  circuit.succeed();
  circuit.abandon();
  expect(circuit.state(1000)).toBe("closed");
});
