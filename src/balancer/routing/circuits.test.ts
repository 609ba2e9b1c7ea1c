import { expect, test } from "bun:test";
import { TestEndpoint } from "../../testkit/routable.ts";
import { Circuits } from "./circuits.ts";
import { Grant } from "./grant.ts";

const OPTIONS = { failuresMax: 2, firstMs: 1000 };

test("failures of one model's requests leave the other models alone", () => {
  const circuits = new Circuits(OPTIONS);
  expect([circuits.fail("a", 0, false), circuits.fail("a", 0, false)]).toEqual([undefined, 1000]);
  expect(circuits.blockedUntilMs("a")).toBe(1000);
  expect(circuits.blockedUntilMs("b")).toBe(Number.NEGATIVE_INFINITY);
  expect([circuits.begin("b", 1000), circuits.begin("a", 1000)]).toEqual([false, true]);
  expect(circuits.state(1000)).toBe("probing");
  circuits.abandon("a");
  expect(circuits.state(1000)).toBe("half_open");
  expect([circuits.succeed("b"), circuits.succeed("a")]).toEqual([false, true]);
  expect(circuits.state(1000)).toBe("closed");
});

test("an endpoint is as badly off as its worst model; a reset closes all", () => {
  const circuits = new Circuits(OPTIONS);
  for (const model of ["a", "a", "b"]) circuits.fail(model, 0, false);
  expect(circuits.state(0)).toBe("open");
  circuits.reset();
  expect([circuits.state(0), circuits.blockedUntilMs("a")]).toEqual([
    "closed",
    Number.NEGATIVE_INFINITY,
  ]);
});

test("a probe that fails opens the circuit for longer, also if that is known late", () => {
  const endpoint = new TestEndpoint({ circuit: { failuresMax: 1, firstMs: 1000 } });
  endpoint.circuits.fail("m", 0, false);
  const events = { onFree: () => undefined, onBlocked: () => undefined };
  const options = { endpoint, model: "m", reason: "latency", waitedMs: 0, events } as const;
  const probe = new Grant<TestEndpoint>({ ...options, nowMs: 1000 });
  probe.finish({ success: false, nowMs: 1001, latencyMs: 1 });
  expect(endpoint.circuits.state(1001)).toBe("half_open");
  probe.failed(1002);
  expect(endpoint.circuits.blockedUntilMs("m")).toBe(1002 + 2000);
});
