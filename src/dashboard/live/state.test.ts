import { expect, test } from "bun:test";
import type { LiveEvent } from "../../wire/event.ts";
import { LiveState } from "./state.ts";

const EVERY_MS = 40;

function ended(id: number): LiveEvent {
  const request = {
    ...{ request_id: String(id), started_at: "2026-01-31T12:00:00.000Z", request_type: "chat" },
    ...{ model: "a", api_key_name: null, user_name: null, streamed: false, error: null },
    ...{ endpoint_id: null, endpoint_name: null, http_status: 200 },
    ...{ queue_ms: null, first_token_ms: null, duration_ms: 1, output_tokens: null },
  };
  return { type: "request_ended", request };
}

test("lists are asked for again while requests go on ending, not after the last", async () => {
  const state = new LiveState();
  let calls = 0;
  const stop = state.whileRequestsEnd(() => {
    calls += 1;
  }, EVERY_MS);
  for (let i = 0; i < 1000 && calls < 2; i += 1) {
    state.apply(ended(i));
    await Bun.sleep(2);
  }
  expect(calls).toBe(2);
  stop();
  state.apply(ended(1000));
  await Bun.sleep(3 * EVERY_MS);
  expect(calls).toBe(2);
});

test("other events do not ask for lists", async () => {
  const state = new LiveState();
  let calls = 0;
  using _ = { [Symbol.dispose]: state.whileRequestsEnd(() => calls++, 1) };
  state.apply({ type: "pulls", pulls: [] });
  await Bun.sleep(20);
  expect(calls).toBe(0);
});

test("running requests of endpoints follow the events, and end with what was known", () => {
  const state = new LiveState();
  const load = (id: string, active: number) => ({ id, active, models: { m: active } });
  state.apply({ type: "load", changed: [load("a", 2), load("b", 1)], queues: { m: 3 } });
  state.apply({ type: "load", changed: [load("a", 0)] });
  expect([...state.loads.keys()]).toEqual(["b"]);
  expect(state.queues).toEqual({ m: 3 });
  state.apply({ type: "hello", version: "1", resumed: true });
  expect(state.loads.size).toBe(1);
  state.apply({ type: "hello", version: "1", resumed: false });
  expect([state.loads.size, state.queues]).toEqual([0, {}]);
});

test("events that come before it is told are told as one", () => {
  const waiting: (() => void)[] = [];
  const state = new LiveState((tell) => waiting.push(tell));
  let told = 0;
  state.subscribe(() => told++);
  for (let i = 0; i < 50; i += 1) state.apply(ended(i));
  expect([waiting.length, told]).toEqual([1, 0]);
  waiting.shift()?.();
  expect(told).toBe(1);
  state.apply(ended(50));
  expect(waiting).toHaveLength(1);
});
