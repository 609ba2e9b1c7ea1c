import { expect, test } from "bun:test";
import fc from "fast-check";
import { TestEndpoint } from "../../testkit/routable.ts";
import { hasRoom } from "./coldstart.ts";
import type { Grant } from "./grant.ts";
import { Scheduler } from "./scheduler.ts";
import { isOpen } from "./selection.ts";
import type { QueueWait, SlotRequest } from "./slotrequest.ts";

/** Something that happens; numbers choose among what there is at that time. */
type Happening =
  | { kind: "come"; model: string; client: string; failed: number }
  | { kind: "finish" | "cancel" | "answered" | "failed"; which: number }
  | { kind: "timeout" | "aborted"; which: number }
  | { kind: "offline" | "online" | "grow"; which: number }
  | { kind: "later"; ms: number };

const which = fc.nat(1000);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("come" as const),
      model: fc.constantFrom("m", "n", "o"),
      client: fc.constantFrom("a", "b", "c"),
      failed: fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, fc.nat(2)),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("finish", "cancel", "answered", "failed"),
      which,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("timeout", "aborted"), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("offline", "online", "grow"), which }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("later" as const), ms: fc.nat(3000) }) },
);

interface Waiter {
  request: SlotRequest<TestEndpoint>;
  waiting: QueueWait<TestEndpoint>;
}

/** Three endpoints that share models, and what a balancer around the scheduler would keep. */
class World {
  nowMs = 0;
  readonly endpoints = [
    new TestEndpoint({ name: "a", slots: 1, models: ["m"], circuit: { failuresMax: 2 } }),
    new TestEndpoint({ name: "b", slots: 2, models: ["m", "n"], circuit: { failuresMax: 2 } }),
    new TestEndpoint({ name: "c", slots: 1, models: ["n", "o", "p", "q"] }),
  ];
  readonly timers: { endpoint: TestEndpoint; untilMs: number }[] = [];
  readonly scheduler = new Scheduler<TestEndpoint>({
    candidates: (model) => this.endpoints.filter(({ served }) => served.has(model)),
    strategy: "latency",
    queueMax: 20,
    onBlocked: (endpoint, untilMs) => void this.timers.push({ endpoint, untilMs }),
  });
  running: Grant<TestEndpoint>[] = [];
  waiters: Waiter[] = [];

  happen(one: Happening): void {
    switch (one.kind) {
      case "come":
        this.#come(one);
        break;
      case "later":
        this.nowMs += one.ms;
        this.#ring();
        break;
      case "timeout":
      case "aborted":
        this.#leave(one.which, one.kind);
        break;
      case "offline":
      case "online":
      case "grow":
        this.#change(one.which, one.kind);
        break;
      default:
        this.#progress(one.which, one.kind);
    }
  }

  #come({ model, client, failed }: Extract<Happening, { kind: "come" }>): void {
    const tried = this.endpoints[failed];
    const expected = model === "o";
    const request: SlotRequest<TestEndpoint> = { model, client, nowMs: this.nowMs, expected };
    if (tried !== undefined) request.tried = [tried];
    let outcome = this.scheduler.request(request);
    if (outcome.kind === "delay") {
      outcome = this.scheduler.request({ ...request, place: outcome.place });
      expect(outcome.kind).not.toBe("delay");
    }
    if (outcome.kind === "granted") this.running.push(outcome.grant);
    if (outcome.kind === "queued") this.#await({ request, waiting: outcome.waiting });
  }

  #await(waiter: Waiter): void {
    this.waiters.push(waiter);
    waiter.waiting.onSettled = (outcome) => {
      expect(this.waiters).toContain(waiter);
      if (outcome.kind === "granted") {
        this.#expectTurn(waiter, outcome.grant.endpoint);
        this.running.push(outcome.grant);
      }
      this.waiters = this.waiters.filter((other) => other !== waiter);
    };
  }

  /** Nobody of the same client and model came before and could have had the slot. */
  #expectTurn({ request }: Waiter, endpoint: TestEndpoint): void {
    expect(request.tried ?? []).not.toContain(endpoint);
    const first = this.waiters.find(
      (other) =>
        other.request.model === request.model &&
        other.request.client === request.client &&
        (other.request.tried === undefined) === (request.tried === undefined) &&
        !other.request.tried?.includes(endpoint),
    );
    expect(first?.request).toBe(request);
  }

  #leave(index: number, why: "timeout" | "aborted"): void {
    const waiter = this.waiters[index % Math.max(1, this.waiters.length)];
    if (waiter === undefined) return;
    expect(waiter.waiting.leave(why)).toBe(true);
    this.waiters = this.waiters.filter((other) => other !== waiter);
  }

  #progress(index: number, kind: "finish" | "cancel" | "answered" | "failed"): void {
    const grant = this.running[index % Math.max(1, this.running.length)];
    if (grant === undefined) return;
    const { nowMs } = this;
    if (kind === "answered") {
      grant.answered(nowMs, 10);
      return;
    }
    if (kind === "failed") grant.failed(nowMs);
    this.running = this.running.filter((other) => other !== grant);
    const ended =
      kind === "cancel"
        ? grant.cancel(nowMs)
        : grant.finish({ success: kind === "finish", nowMs, latencyMs: 1 });
    expect(ended).toBe(true);
    expect(grant.cancel(nowMs)).toBe(false);
  }

  #change(index: number, kind: "offline" | "online" | "grow"): void {
    const endpoint = this.endpoints[index % this.endpoints.length];
    if (endpoint === undefined) return;
    if (kind === "grow") endpoint.load.slots += 1;
    else endpoint.health.status = kind;
    this.scheduler.offer(endpoint, this.nowMs);
  }

  /** What the timers of the balancer would do. */
  #ring(): void {
    for (const timer of [...this.timers]) {
      if (timer.untilMs > this.nowMs) continue;
      this.timers.splice(this.timers.indexOf(timer), 1);
      this.scheduler.offer(timer.endpoint, this.nowMs);
    }
  }

  /** What must be true at any time. */
  check(): void {
    for (const endpoint of this.endpoints) {
      const { load } = endpoint;
      const running = this.running.filter((grant) => grant.endpoint === endpoint).length;
      expect(load.active).toBe(running);
      expect(load.active).toBeLessThanOrEqual(load.slots);
      if (!hasRoom(endpoint)) continue;
      const forgotten = this.waiters.filter(
        ({ request }) =>
          endpoint.served.has(request.model) &&
          isOpen(endpoint, request.model, this.nowMs) &&
          !request.tried?.includes(endpoint),
      );
      expect(forgotten).toEqual([]);
    }
    expect(this.scheduler.waiting()).toBe(this.waiters.length);
  }

  /** Everything that runs ends, everything that is down comes back, until nobody waits. */
  settle(): void {
    for (const endpoint of this.endpoints) this.#change(this.endpoints.indexOf(endpoint), "online");
    this.waiters = this.waiters.filter(({ request, waiting }) => {
      const elsewhere = this.endpoints.some(
        (one) => one.served.has(request.model) && !request.tried?.includes(one),
      );
      return elsewhere || !waiting.leave("timeout");
    });
    for (let i = 0; i < 1000 && this.running.length + this.waiters.length > 0; i += 1) {
      this.nowMs += 60_000;
      this.#ring();
      this.#progress(0, "answered");
      this.#progress(0, "finish");
    }
  }
}

test("slots are never exceeded nor lost, and nobody is forgotten or overtaken", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 150 }), (happenings) => {
      const world = new World();
      for (const one of happenings) {
        world.happen(one);
        world.check();
      }
      world.settle();
      expect([world.running.length, world.waiters.length]).toEqual([0, 0]);
      expect(world.scheduler.waiting()).toBe(0);
      for (const { load } of world.endpoints) {
        expect([load.active, load.exploring]).toEqual([0, 0]);
      }
    }),
    { numRuns: 500 },
  );
});
