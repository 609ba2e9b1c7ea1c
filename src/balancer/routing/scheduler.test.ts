import { describe, expect, test } from "bun:test";
import type { TestEndpoint } from "../../testkit/routable.ts";
import { only, setup } from "../../testkit/scheduling.ts";
import { PrefixIndex } from "./prefix.ts";

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
  test("that is drained keeps what it has, and gets requests again when it no longer is", () => {
    const { ask, finish, all, scheduler, settled } = setup([{ slots: 1 }, { slots: 1 }]);
    const [a, b] = all;
    if (a === undefined || b === undefined) throw new Error("there are two");
    expect([ask("1").kind, ask("2").kind, ask("3").kind]).toEqual(["granted", "granted", "queued"]);
    b.isDraining = true;
    finish("2");
    scheduler.offer(b, 0);
    expect(settled).toEqual([]);
    finish("1");
    expect(settled).toEqual(["3:a"]);
    a.isDraining = true;
    expect(ask("4").kind).toBe("unavailable");
    expect(ask("5", { expected: true }).kind).toBe("queued");
    b.isDraining = false;
    scheduler.offer(b, 1);
    expect(settled).toEqual(["3:a", "5:b"]);
    expect([a.load.active, b.load.active]).toEqual([1, 1]);
  });

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
