import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { TestEndpoint, type TestEndpointOptions } from "../../testkit/routable.ts";
import { type AcquireResult, type GateOptions, SlotGate } from "./gate.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const REQUEST = { model: "m", client: "c" };

function setup(options: TestEndpointOptions, more: Partial<GateOptions<TestEndpoint>> = {}) {
  const endpoint = new TestEndpoint(options);
  endpoint.latency.record(100, performance.timeOrigin + performance.now());
  const gate = new SlotGate<TestEndpoint>({ candidates: () => [endpoint], ...more });
  return { endpoint, gate };
}

function finish(gate: SlotGate<TestEndpoint>, entry: AcquireResult<TestEndpoint>): void {
  if (entry.kind !== "granted") throw new Error(entry.kind);
  entry.grant.finish({ success: true, nowMs: gate.now(), latencyMs: 1 });
}

async function kind(
  entry: AcquireResult<TestEndpoint> | Promise<AcquireResult<TestEndpoint>>,
): Promise<string> {
  return (await entry).kind;
}

test("who finds a free slot does not wait, who does not is told how long it waited", async () => {
  const { gate } = setup({ slots: 1 });
  const first = gate.acquire(REQUEST);
  if (first instanceof Promise) throw new Error("it waits");
  const second = gate.acquire(REQUEST);
  jest.advanceTimersByTime(250);
  finish(gate, first);
  const entry = await second;
  expect(entry).toMatchObject({ kind: "granted", grant: { waitedMs: 250 } });
  expect(gate.scheduler.waiting()).toBe(0);
});

test("waiting ends after 60 s, or after the request's own time if that is shorter", async () => {
  const { gate } = setup({ slots: 1 });
  gate.acquire(REQUEST);
  const [long, short] = [gate.acquire(REQUEST), gate.acquire(REQUEST, { timeoutMs: 1000 })];
  jest.advanceTimersByTime(1000);
  expect(await kind(short)).toBe("timeout");
  expect(gate.scheduler.waiting()).toBe(1);
  jest.advanceTimersByTime(58_999);
  expect(gate.scheduler.waiting()).toBe(1);
  jest.advanceTimersByTime(1);
  expect(await kind(long)).toBe("timeout");
  expect(gate.scheduler.counts.timedOut).toBe(2);
});

test("a time of zero is no wait", async () => {
  const { gate } = setup({ slots: 1 }, { queueMax: 1, timeoutMs: 0 });
  gate.acquire(REQUEST);
  const second = gate.acquire(REQUEST);
  jest.advanceTimersByTime(0);
  expect(await kind(second)).toBe("timeout");
});

test("a client that leaves is out of the queue at once", async () => {
  const { gate, endpoint } = setup({ slots: 1 });
  const first = await gate.acquire(REQUEST);
  const client = new AbortController();
  const { signal } = client;
  const second = gate.acquire(REQUEST, { signal });
  const third = gate.acquire(REQUEST);
  client.abort();
  expect(gate.scheduler.waiting()).toBe(1);
  expect(await kind(second)).toBe("aborted");
  expect(await kind(gate.acquire(REQUEST, { signal }))).toBe("aborted");
  expect(gate.scheduler.waiting()).toBe(1);
  finish(gate, first);
  expect(await kind(third)).toBe("granted");
  expect(endpoint.load.active).toBe(1);
});

test("a slot granted in the moment its client leaves is the caller's to give back", async () => {
  const { gate, endpoint } = setup({ slots: 1 });
  const first = await gate.acquire(REQUEST);
  const client = new AbortController();
  const second = gate.acquire(REQUEST, { signal: client.signal });
  finish(gate, first);
  client.abort();
  finish(gate, await second);
  expect(endpoint.load.active).toBe(0);
});

test("a delayed request keeps its place and comes after its delay, or leaves", async () => {
  const { gate } = setup({ slots: 1 }, { queueMax: 10 });
  const entries = Array.from({ length: 6 }, () => gate.acquire(REQUEST));
  const client = new AbortController();
  const delayed = gate.acquire(REQUEST);
  const leaving = gate.acquire(REQUEST, { signal: client.signal });
  expect(gate.scheduler.waiting()).toBe(7);
  client.abort();
  expect(await kind(leaving)).toBe("aborted");
  expect(gate.scheduler.waiting()).toBe(6);
  jest.advanceTimersByTime(10);
  await Promise.resolve();
  for (const entry of entries) finish(gate, await entry);
  finish(gate, await delayed);
  expect(gate.scheduler.waiting()).toBe(0);
});

test("who waits for an open circuit is let through when its time comes", async () => {
  const { gate, endpoint } = setup({ slots: 1, circuit: { failuresMax: 1, firstMs: 1000 } });
  const first = await gate.acquire(REQUEST);
  const second = gate.acquire(REQUEST);
  if (first.kind !== "granted") throw new Error(first.kind);
  first.grant.failed(gate.now());
  first.grant.cancel(gate.now());
  jest.advanceTimersByTime(999);
  expect(endpoint.load.active).toBe(0);
  jest.advanceTimersByTime(2);
  expect(await kind(second)).toBe("granted");
  expect(endpoint.circuits.state(gate.now())).toBe("probing");
});

test("who waits for an endpoint that was down is let through when it comes online", async () => {
  const { gate, endpoint } = setup({ slots: 1, circuit: { failuresMax: 1, firstMs: 60_000 } });
  const first = await gate.acquire(REQUEST);
  if (first.kind !== "granted") throw new Error(first.kind);
  const second = gate.acquire(REQUEST);
  first.grant.failed(gate.now());
  endpoint.health.status = "offline";
  gate.wentOffline(endpoint);
  finish(gate, first);
  expect(await kind(gate.acquire(REQUEST))).toBe("unavailable");
  endpoint.health.status = "online";
  gate.cameOnline(endpoint);
  finish(gate, await second);
  expect(endpoint.load.active).toBe(0);
});

test("closing sends everybody away, and nobody is let in after", async () => {
  const { gate } = setup({ slots: 1 });
  gate.acquire(REQUEST);
  const waiting = gate.acquire(REQUEST);
  gate.close();
  expect(await kind(waiting)).toBe("closed");
  expect(await kind(gate.acquire(REQUEST))).toBe("closed");
});
