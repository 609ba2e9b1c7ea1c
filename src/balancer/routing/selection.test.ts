import { describe, expect, test } from "bun:test";
import type { Strategy } from "../../config/fields/endpoints.ts";
import { TestEndpoint, type TestEndpointOptions } from "../../testkit/routable.ts";
import { type Reason, type SelectionContext, select } from "./selection.ts";

const MINUTE_MS = 60_000;

function pool(...all: TestEndpointOptions[]): TestEndpoint[] {
  return all.map((options, i) => new TestEndpoint({ name: "abcdefgh"[i] ?? "z", ...options }));
}

type Context = Partial<SelectionContext<TestEndpoint>>;

/** Name of the chosen endpoint, or why there is none. */
function chosen(endpoints: TestEndpoint[], context: Context = {}): string {
  const selection = select(endpoints, {
    model: "m",
    strategy: "latency",
    nowMs: 0,
    turn: 1,
    ...context,
  });
  return "none" in selection ? selection.none : selection.endpoint.name;
}

function reason(endpoints: TestEndpoint[], context: Context = {}): Reason | string {
  const selection = select(endpoints, {
    model: "m",
    strategy: "latency",
    nowMs: 0,
    turn: 1,
    ...context,
  });
  return "none" in selection ? selection.none : selection.reason;
}

/** Names chosen by a number of selections, each counted as the scheduler does. */
function rounds(endpoints: TestEndpoint[], count: number, strategy: Strategy): string {
  let names = "";
  for (let turn = 1; turn <= count; turn += 1) {
    const selection = select(endpoints, { model: "m", strategy, nowMs: 0, turn });
    if ("none" in selection) return selection.none;
    selection.endpoint.load.lastTurn = turn;
    names += selection.endpoint.name;
  }
  return names;
}

const ALL: Strategy[] = ["prefix", "latency", "least-busy", "round-robin"];

describe.each(ALL)("with the strategy %s", (strategy) => {
  test("test_pending_node_excluded_from_routing", () => {
    const endpoints = pool({ status: "pending", latencyMs: 1 }, { latencyMs: 500 });
    expect(chosen(endpoints, { strategy })).toBe("b");
    expect(chosen(endpoints.slice(0, 1), { strategy })).toBe("no_candidate");
  });

  test("test_registering_node_excluded_from_routing", () => {
    const endpoints = pool({ status: "registering", latencyMs: 1 }, { latencyMs: 500 });
    expect(chosen(endpoints, { strategy })).toBe("b");
    expect(chosen(endpoints.slice(0, 1), { strategy })).toBe("no_candidate");
  });

  test("offline, failing, pending, blocked and tried endpoints are never chosen", () => {
    const endpoints = pool(
      { status: "offline" },
      { status: "error" },
      { status: "pending" },
      { circuit: { failuresMax: 1, firstMs: 1000 } },
      {},
      { latencyMs: 900, active: 7 },
    );
    endpoints[3]?.circuits.fail("m", 0, false);
    const tried = endpoints.slice(4, 5);
    expect(chosen(endpoints, { strategy, tried })).toBe("f");
    expect(chosen(endpoints.slice(0, 5), { strategy, tried })).toBe("no_candidate");
    expect(chosen(endpoints.slice(3, 4), { strategy, nowMs: 1000 })).toBe("d");
  });

  test("an endpoint with a free slot comes before a better one without", () => {
    const endpoints = pool({ latencyMs: 1, slots: 1, active: 1 }, { latencyMs: 900, active: 7 });
    expect(chosen(endpoints, { strategy })).toBe("b");
    expect(chosen(endpoints.slice(0, 1), { strategy })).toBe("no_room");
    expect(chosen([], { strategy })).toBe("no_candidate");
  });

  test("equal endpoints are chosen in turn, also when others are better or worse", () => {
    expect(rounds(pool({}, {}, {}), 7, strategy)).toBe("abcabca");
    const unequal = pool({}, { status: "offline" }, {}, { active: 8 }, {});
    expect(rounds(unequal, 6, strategy)).toBe("aceace");
  });
});

test("load_manager_prefers_lower_latency_when_active_equal", () => {
  const endpoints = pool({ latencyMs: 120 }, { latencyMs: 80 }, { latencyMs: 100 });
  for (const one of endpoints) one.load.active = 2;
  expect(chosen(endpoints)).toBe("b");
});

test("latency: of those equally fast, the one chosen longest ago", () => {
  const endpoints = pool({ latencyMs: 120 }, { latencyMs: 80 }, { latencyMs: 80 });
  expect(rounds(endpoints, 5, "latency")).toBe("bcbcb");
});

test("least-busy: the fewest requests per slot", () => {
  const strategy = "least-busy";
  expect(chosen(pool({ slots: 8, active: 3 }, { slots: 2, active: 1 }), { strategy })).toBe("a");
  expect(chosen(pool({ slots: 8, active: 5 }, { slots: 2, active: 1 }), { strategy })).toBe("b");
});

test("round-robin: neither latency nor load counts", () => {
  const endpoints = pool({ latencyMs: 900, active: 7 }, { latencyMs: 1 }, { latencyMs: null });
  expect(rounds(endpoints, 6, "round-robin")).toBe("abcabc");
});

describe.each<Strategy>(["latency", "prefix"])("exploring with the strategy %s", (strategy) => {
  test("a new endpoint does not starve: it gets one request, and no second meanwhile", () => {
    const endpoints = pool({ latencyMs: 1 }, { latencyMs: null });
    expect(chosen(endpoints, { strategy })).toBe("b");
    expect(reason(endpoints, { strategy })).toBe("explore");
    const lease = endpoints[1]?.load.begin(true);
    expect(chosen(endpoints, { strategy })).toBe("a");
    lease?.cancel();
    expect(chosen(endpoints, { strategy })).toBe("b");
  });

  test("several new endpoints are measured at the same time, in turn", () => {
    const endpoints = pool({ latencyMs: null }, { latencyMs: null }, { latencyMs: null });
    expect(rounds(endpoints, 3, strategy)).toBe("abc");
  });

  test("while all new endpoints are being measured, they share what comes", () => {
    const endpoints = pool({ latencyMs: null }, { latencyMs: null });
    for (const one of endpoints) one.load.begin(true);
    expect(rounds(endpoints, 4, strategy)).toBe("abab");
  });

  test("an endpoint is measured again when its sample is over 5 minutes old", () => {
    const endpoints = pool({ latencyMs: 10 }, { latencyMs: 900 });
    endpoints[0]?.latency.record(10, 5 * MINUTE_MS);
    const context = { strategy, turn: 100 };
    expect(chosen(endpoints, { ...context, nowMs: 5 * MINUTE_MS })).toBe("a");
    const later = { ...context, nowMs: 5 * MINUTE_MS + 1 };
    expect(chosen(endpoints, later)).toBe("b");
    expect(reason(endpoints, later)).toBe("re-explore");
    endpoints[1]?.load.begin(true);
    expect(chosen(endpoints, later)).toBe("a");
  });

  test("in quiet times, when all samples are old, few requests measure the slow ones", () => {
    const endpoints = pool({ latencyMs: 10 }, { latencyMs: 900 });
    const count = 320;
    let slow = 0;
    for (let turn = 1; turn <= count; turn += 1) {
      const nowMs = turn * 10 * MINUTE_MS;
      const selection = select(endpoints, { model: "m", strategy, nowMs, turn });
      if ("none" in selection) throw new Error(selection.none);
      const { endpoint } = selection;
      endpoint.load.lastTurn = turn;
      endpoint.latency.record(endpoint.latency.emaMs, nowMs);
      if (endpoint.name === "b") slow += 1;
    }
    expect(slow).toBeGreaterThan(0);
    expect(slow).toBeLessThanOrEqual(count / 16);
  });
});

describe("prefix", () => {
  const strategy = "prefix";
  const knows = (...endpoints: (TestEndpoint | undefined)[]) =>
    endpoints.flatMap((endpoint, i) => (endpoint ? [{ endpoint, depth: 9 - i }] : []));

  test("the endpoint that knows most of the prompt comes before a faster one", () => {
    const endpoints = pool({ latencyMs: 1 }, { latencyMs: 900 }, {});
    const matches = knows(endpoints[1], endpoints[2]);
    expect(chosen(endpoints, { strategy, matches })).toBe("b");
    expect(reason(endpoints, { strategy, matches })).toBe("prefix");
    expect(chosen(endpoints, { strategy: "latency", matches })).toBe("a");
  });

  test("if that has no room or is out, the one that knows the next most", () => {
    const endpoints = pool({ latencyMs: 1 }, { slots: 2, active: 2 }, { latencyMs: 900 });
    const matches = knows(endpoints[1], endpoints[2]);
    expect(chosen(endpoints, { strategy, matches })).toBe("c");
    expect(chosen(endpoints, { strategy, matches, tried: endpoints.slice(2) })).toBe("a");
  });

  test("of several that know as much, the least busy; then the one chosen longest ago", () => {
    const endpoints = pool(
      { latencyMs: 900 },
      { latencyMs: 900, active: 1 },
      { latencyMs: 900 },
      {},
    );
    const matches = [1, 0, 2].flatMap((i) => knows(endpoints[i]));
    expect(chosen(endpoints, { strategy, matches })).toBe("a");
    for (const one of endpoints) one.load.lastTurn = one.name === "c" ? 1 : 2;
    expect(chosen(endpoints, { strategy, matches })).toBe("c");
  });

  test("it is left when its load is over three times that of the least busy", () => {
    const endpoints = pool({ active: 2 }, {});
    const matches = knows(endpoints[0]);
    expect(chosen(endpoints, { strategy, matches })).toBe("a");
    endpoints[0]?.load.begin();
    expect(chosen(endpoints, { strategy, matches })).toBe("b");
    endpoints[1]?.load.begin();
    expect(chosen(endpoints, { strategy, matches })).toBe("a");
  });

  test("endpoints that no longer have the model are not chosen though they know the prompt", () => {
    const endpoints = pool({}, {});
    const matches = knows(new TestEndpoint({ name: "gone" }));
    expect(chosen(endpoints, { strategy, matches })).toBe("a");
  });

  test("a conversation is not torn away to measure again, but once for a new endpoint", () => {
    const stale = pool({ latencyMs: 10 }, { latencyMs: 900 });
    stale[0]?.latency.record(10, 10 * MINUTE_MS);
    const context = { strategy, matches: knows(stale[0]), turn: 100, nowMs: 10 * MINUTE_MS };
    expect(chosen(stale, context as Context)).toBe("a");
    const fresh = pool({}, { latencyMs: null });
    expect(chosen(fresh, { strategy, matches: knows(fresh[0]) })).toBe("b");
  });

  test("unknown prompts spread over endpoints about as fast as the fastest", () => {
    const endpoints = pool({ latencyMs: 100 }, { latencyMs: 150 }, { latencyMs: 151 });
    expect(rounds(endpoints, 4, strategy)).toBe("abab");
    endpoints[0]?.load.begin();
    expect(chosen(endpoints, { strategy })).toBe("b");
  });
});
