import { describe, expect, test } from "bun:test";
import { TestEndpoint, type TestEndpointOptions } from "../../testkit/routable.ts";
import type { Grant } from "./grant.ts";
import { PrefixIndex } from "./prefix.ts";
import { Scheduler, type SchedulerOptions } from "./scheduler.ts";
import type { SlotOutcome, SlotRequest } from "./slotrequest.ts";

type Options = Partial<SchedulerOptions<TestEndpoint>>;

/** A scheduler over endpoints, and what was settled by it, in order. */
function setup(endpoints: TestEndpointOptions[], options: Options = {}) {
  const all = endpoints.map((one, i) => new TestEndpoint({ name: "abcdef"[i] ?? "z", ...one }));
  const scheduler = new Scheduler<TestEndpoint>({
    candidates: (model) => all.filter(({ served }) => served.has(model)),
    ...options,
  });
  const settled: string[] = [];
  const grants = new Map<string, Grant<TestEndpoint>>();

  /** Asks for a slot under a name and takes note of what becomes of it. */
  function ask(
    name: string,
    more: Partial<SlotRequest<TestEndpoint>> = {},
  ): SlotOutcome<TestEndpoint> {
    const outcome = scheduler.request({ model: "m", client: "c", nowMs: 0, ...more });
    if (outcome.kind === "granted") grants.set(name, outcome.grant);
    if (outcome.kind === "queued") {
      outcome.waiting.onSettled = (late) => {
        if (late.kind === "granted") grants.set(name, late.grant);
        const by = late.kind === "granted" ? late.grant.endpoint.name : late.kind;
        settled.push(`${name}:${by}`);
      };
    }
    return outcome;
  }
  const finish = (name: string, nowMs = 0) =>
    grants.get(name)?.finish({ success: true, nowMs, latencyMs: 1 });
  return { scheduler, all, settled, grants, ask, finish };
}

function only<T>(items: T[]): T {
  const [first] = items;
  if (first === undefined) throw new Error("there is none");
  return first;
}

test("a free slot is granted at once, a freed one to who waits, first come, first served", () => {
  const { ask, finish, settled, scheduler, grants } = setup([{ slots: 1 }]);
  const kinds = ["1", "2", "3"].map((name) => ask(name).kind);
  expect(kinds).toEqual(["granted", "queued", "queued"]);
  expect(scheduler.waiting("m")).toBe(2);
  finish("1", 40);
  expect(settled).toEqual(["2:a"]);
  expect(grants.get("2")).toMatchObject({ reason: "queue", waitedMs: 40 });
  expect(ask("4").kind).toBe("queued");
  finish("2");
  finish("3");
  finish("4");
  expect(settled).toEqual(["2:a", "3:a", "4:a"]);
  expect(scheduler.counts).toMatchObject({ granted: 4, waited: 3, waitedMsTotal: 40 });
});

test("a slot given back twice is free once", () => {
  const { ask, grants, finish, all } = setup([{ slots: 2 }]);
  ask("1");
  ask("2");
  expect([finish("1"), finish("1"), grants.get("1")?.cancel(0)]).toEqual([true, false, false]);
  expect(only(all).load.active).toBe(1);
});

test("of two clients of which one floods, the other waits one turn", () => {
  const { ask, finish, settled } = setup([{ slots: 1 }]);
  for (let i = 0; i < 40; i += 1) ask(`flood${i}`, { client: "flood" });
  ask("guest0", { client: "guest" });
  ask("guest1", { client: "guest" });
  for (let i = 0; i < 4; i += 1) finish(settled.at(-1)?.split(":")[0] ?? "flood0");
  expect(settled).toEqual(["flood1:a", "guest0:a", "flood2:a", "guest1:a"]);
});

test("a client that floods the queue crowds nobody else out", () => {
  const { ask } = setup([{ slots: 1 }]);
  const outcomes = Array.from({ length: 200 }, (_, i) => ask(`f${i}`, { client: "flood" }).kind);
  const count = (kind: string) => outcomes.filter((one) => one === kind).length;
  expect([count("granted"), count("queued"), count("delay")]).toEqual([1, 50, 30]);
  const guests = Array.from({ length: 20 }, (_, i) => ask(`g${i}`, { client: "guest" }).kind);
  expect(guests).toEqual(Array.from({ length: 20 }, () => "queued"));
  expect(ask("one more", { client: "other" }).kind).toBe("rejected");
});

describe("the queue", () => {
  test("delays from half of its limit on and rejects from four fifths on", () => {
    const { ask, scheduler } = setup([{ slots: 1 }], { queueMax: 10 });
    const kinds = Array.from({ length: 10 }, (_, i) => ask(`${i}`).kind);
    expect(kinds.slice(0, 6).join(" ")).toBe("granted queued queued queued queued queued");
    expect(kinds.slice(6).join(" ")).toBe("delay delay delay rejected");
    expect(scheduler.waiting()).toBe(8);
    expect(scheduler.counts.rejected).toBe(1);
  });

  test("keeps the place of who is delayed, until it comes or gives up", () => {
    const { ask, scheduler } = setup([{ slots: 1 }], { queueMax: 4 });
    for (const name of ["1", "2", "3"]) ask(name);
    const delayed = ask("4");
    if (delayed.kind !== "delay") throw new Error(delayed.kind);
    expect([delayed.delayMs, ask("5").kind, scheduler.waiting("m")]).toEqual([10, "rejected", 3]);
    expect(ask("4", { place: delayed.place, nowMs: 10, sinceMs: 0 }).kind).toBe("queued");
    expect(scheduler.waiting("m")).toBe(3);
    delayed.place.giveUp();
    expect(scheduler.waiting("m")).toBe(3);
  });

  test("of one takes one, and the limit over all models holds", () => {
    const { ask } = setup([{ slots: 1, models: ["m", "n", "o"] }], { queueMax: 1, waitingMax: 2 });
    expect([ask("1").kind, ask("2").kind, ask("3").kind]).toEqual([
      "granted",
      "queued",
      "rejected",
    ]);
    expect(ask("4", { model: "n" }).kind).toBe("queued");
    expect(ask("5", { model: "o" }).kind).toBe("rejected");
  });

  test("is left at once by clients that go, counted when their time is over", () => {
    const { ask, finish, settled, scheduler } = setup([{ slots: 1 }]);
    ask("1");
    const leavers = [ask("2"), ask("3")];
    ask("4");
    for (const [i, one] of leavers.entries()) {
      if (one.kind !== "queued") throw new Error(one.kind);
      expect(one.waiting.leave(i === 0 ? "timeout" : "aborted")).toBe(true);
      expect(one.waiting.leave("aborted")).toBe(false);
    }
    finish("1");
    expect(settled).toEqual(["4:a"]);
    expect(scheduler.counts.timedOut).toBe(1);
    expect(scheduler.waiting()).toBe(0);
  });

  test("is sent away when the scheduler closes, and nobody is let in after", () => {
    const { ask, scheduler, settled } = setup([{ slots: 1, models: ["m", "n"] }]);
    for (const name of ["1", "2", "3"]) ask(name);
    ask("4", { model: "n" });
    scheduler.close();
    expect(settled).toEqual(["2:closed", "3:closed", "4:closed"]);
    expect([ask("5").kind, scheduler.waiting()]).toEqual(["closed", 0]);
  });
});

test.each(["many", "few"])("models take turns at an endpoint with %s of them", (amount) => {
  const models = amount === "many" ? ["m", "n", "o", "p", "q"] : ["m", "n"];
  const { ask, finish, settled } = setup([
    { slots: 1, models },
    { slots: 0, models: ["x", "y"] },
  ]);
  for (const name of ["m0", "m1", "m2", "n1", "n2", "x1", "y1"])
    ask(name, { model: name[0] ?? "" });
  for (let i = 0; i < 4; i += 1) finish(settled.at(-1)?.split(":")[0] ?? "m0");
  expect(settled.map((one) => one.slice(0, 2))).toEqual(["m1", "n1", "m2", "n2"]);
});

test("an endpoint that goes offline keeps what was counted of it, not its latency", () => {
  const { ask, grants, all, scheduler } = setup([{}]);
  ask("1");
  grants.get("1")?.finish({ success: true, nowMs: 0, latencyMs: 10 });
  only(all).health.status = "offline";
  scheduler.wentOffline(only(all));
  expect(only(all).load).toMatchObject({ successes: 1, latencyTotalMs: 10 });
  expect(only(all).latency.emaMs).toBe(Number.POSITIVE_INFINITY);
});

test("if those who wait for one model do not want an endpoint, those of another get it", () => {
  const { ask, finish, settled, all } = setup([{ slots: 1, models: ["m", "n"] }, { slots: 1 }]);
  ask("1");
  ask("2");
  ask("3", { tried: [only(all)] });
  ask("4", { model: "n" });
  ask("5", { model: "x", expected: true });
  finish("1");
  expect(settled).toEqual(["4:a"]);
});

describe("an endpoint", () => {
  test("that comes back is trusted and waited for, but knows no prompts any more", () => {
    const prefixes = new PrefixIndex<TestEndpoint>();
    const circuit = { failuresMax: 1, firstMs: 60_000 };
    const { ask, grants, all, scheduler, settled } = setup([{ circuit }], { prefixes });
    ask("1", { fingerprint: Float64Array.of(5) });
    grants.get("1")?.failed(0);
    scheduler.wentOffline(only(all));
    expect(prefixes.match(Float64Array.of(5), 0)).toEqual([]);
    ask("2", { expected: true });
    scheduler.cameOnline(only(all), 1);
    expect(settled).toEqual(["2:a"]);
  });

  test("that nobody has is unavailable, that is expected is waited for", () => {
    const { ask, all, scheduler, settled } = setup([{ status: "pending" }]);
    expect(ask("1").kind).toBe("unavailable");
    expect([ask("2", { expected: true }).kind, ask("3", { expected: true }).kind]).toEqual([
      "queued",
      "queued",
    ]);
    only(all).health.status = "online";
    scheduler.offer(only(all), 0);
    expect(settled).toEqual(["2:a", "3:a"]);
  });

  test("that is offline is offered nobody; its finishing requests hand nothing over", () => {
    const { ask, all, finish, settled } = setup([{ slots: 1 }, { slots: 1 }]);
    for (const name of ["1", "2", "3"]) ask(name);
    only(all).health.status = "offline";
    finish("1");
    expect(settled).toEqual([]);
    finish("2");
    expect(settled).toEqual(["3:b"]);
  });

  test("that failed a request is not given to it again", () => {
    const { ask, finish, settled, all } = setup([{ slots: 1 }, { slots: 1 }]);
    ask("1");
    ask("2");
    expect(ask("3", { tried: [only(all)] }).kind).toBe("queued");
    finish("1");
    expect(settled).toEqual([]);
    expect(ask("4").kind).toBe("granted");
    finish("2");
    expect(settled).toEqual(["3:b"]);
  });

  test("whose circuit opened is waited for, probed by one, and then by all", () => {
    const blocked: number[] = [];
    const onBlocked = (_: unknown, untilMs: number) => void blocked.push(untilMs);
    const circuit = { failuresMax: 1, firstMs: 1000 };
    const { ask, all, grants, finish, settled, scheduler } = setup([{ slots: 3, circuit }], {
      onBlocked,
    });
    for (const name of ["1", "2", "3", "4", "5"]) ask(name);
    grants.get("1")?.failed(0);
    for (const name of ["1", "2", "3"]) finish(name);
    expect([settled, blocked]).toEqual([[], [1000]]);
    expect(ask("6").kind).toBe("unavailable");
    scheduler.offer(only(all), 1000);
    expect(settled).toEqual(["4:a"]);
    grants.get("4")?.answered(1001, 50);
    expect(settled).toEqual(["4:a", "5:a"]);
  });

  test("is probed by another request if the probe ends without a verdict", () => {
    const { ask, all, grants } = setup([{ circuit: { failuresMax: 1, firstMs: 1000 } }]);
    ask("1");
    grants.get("1")?.failed(0);
    expect([ask("2", { nowMs: 1000 }).kind, ask("3", { nowMs: 1000 }).kind]).toEqual([
      "granted",
      "unavailable",
    ]);
    grants.get("2")?.cancel(1001);
    expect(ask("4", { nowMs: 1001 }).kind).toBe("granted");
    expect(only(all).circuits.state(1001)).toBe("probing");
  });

  test("whose back-off is over is given first to those who wait, then to who comes", () => {
    const { ask, all, grants, settled } = setup([
      { slots: 2, circuit: { failuresMax: 1, firstMs: 1000 } },
      { slots: 1 },
    ]);
    for (const name of ["1", "2"]) ask(name);
    grants.get("1")?.failed(0);
    grants.get("1")?.cancel(0);
    expect(ask("3").kind).toBe("queued");
    expect(ask("4", { nowMs: 1000 }).kind).toBe("queued");
    expect(settled).toEqual(["3:a"]);
    expect(only(all).load.active).toBe(1);
  });
});

test("only answers of success are measured; failures and others end the exploring as well", () => {
  const { ask, all, grants, finish } = setup([{ latencyMs: null }]);
  ask("1", { nowMs: 5 });
  expect([grants.get("1")?.reason, only(all).load.exploring]).toEqual(["explore", 1]);
  grants.get("1")?.answered(7);
  expect([only(all).latency.stored, only(all).load.exploring]).toEqual([null, 0]);
  ask("2");
  grants.get("2")?.answered(9, 120);
  expect([only(all).latency.stored, only(all).latency.sampledAtMs]).toEqual([120, 9]);
  finish("1");
  finish("2");
  expect(only(all).load).toMatchObject({ active: 0, exploring: 0, successes: 2 });
});

test("a conversation goes on where it began, also when it had to wait there", () => {
  const { ask, settled, finish } = setup([{ slots: 1 }, { slots: 1 }], {
    prefixes: new PrefixIndex<TestEndpoint>(),
  });
  const first = Float64Array.of(11, 12);
  const second = Float64Array.of(21, 22);
  ask("first", { fingerprint: first });
  ask("second", { fingerprint: second });
  ask("third", { fingerprint: Float64Array.of(31) });
  finish("second");
  expect(settled).toEqual(["third:b"]);
  finish("third");
  finish("first");
  const where = (chunks: Float64Array) => {
    const outcome = ask("again", { fingerprint: chunks });
    finish("again");
    return outcome.kind === "granted" ? outcome.grant.endpoint.name : outcome.kind;
  };
  expect(where(Float64Array.of(21, 22, 23))).toBe("b");
  expect(where(Float64Array.of(11, 12, 13))).toBe("a");
  expect(where(Float64Array.of(31, 32))).toBe("b");
});

describe("a request that needs more than the model", () => {
  const requirement = { key: "vision", isMetBy: (one: TestEndpoint) => one.name === "b" };

  test("goes to an endpoint that has it, however busy", () => {
    const { ask, all } = setup([{ slots: 4 }, { slots: 2 }]);
    expect([ask("1", { requirement }).kind, ask("2", { requirement }).kind]).toEqual([
      "granted",
      "granted",
    ]);
    expect(all.map(({ load }) => load.active)).toEqual([0, 2]);
  });

  test.each(["many", "few"])("waits for such an endpoint only, of %s models", (amount) => {
    const models = amount === "many" ? ["m", "n", "o"] : ["m"];
    const { ask, finish, settled, scheduler } = setup([
      { slots: 1, models },
      { slots: 1, models },
    ]);
    expect([ask("1", { requirement }).kind, ask("2").kind]).toEqual(["granted", "granted"]);
    expect([ask("3", { requirement }).kind, ask("4").kind]).toEqual(["queued", "queued"]);
    expect(scheduler.waiting("m")).toBe(2);
    finish("2");
    expect(settled).toEqual(["4:a"]);
    finish("1");
    expect(settled).toEqual(["4:a", "3:b"]);
    expect(scheduler.waiting("m")).toBe(0);
  });

  test("is unavailable where no endpoint has it", () => {
    const { ask } = setup([{}]);
    expect(ask("1", { requirement }).kind).toBe("unavailable");
  });
});
