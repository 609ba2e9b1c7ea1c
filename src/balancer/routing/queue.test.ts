import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FairQueue, QueueItem } from "./queue.ts";

type E = string;

function ticket(client: string, request: number, options: { tried?: E[] } = {}) {
  return new QueueItem<E, number>({ client, request, ...options });
}

function drained(queue: FairQueue<E, number>, endpoint = "e"): string[] {
  const taken: string[] = [];
  for (let one = queue.take(endpoint); one !== undefined; one = queue.take(endpoint)) {
    taken.push(`${one.client}${one.request}`);
  }
  return taken;
}

test("one client is served first come, first served", () => {
  const queue = new FairQueue<E, number>();
  for (const i of [1, 2, 3]) queue.push(ticket("a", i));
  expect(drained(queue)).toEqual(["a1", "a2", "a3"]);
  expect([queue.size, queue.clients, queue.own("a")]).toEqual([0, 0, 0]);
});

test("clients take turns, one that comes new waits for its turn once", () => {
  const queue = new FairQueue<E, number>();
  for (const i of [1, 2, 3, 4]) queue.push(ticket("a", i));
  expect(queue.take("e")?.request).toBe(1);
  queue.push(ticket("b", 1));
  queue.push(ticket("b", 2));
  queue.push(ticket("c", 1));
  expect(drained(queue)).toEqual(["a2", "b1", "c1", "a3", "b2", "a4"]);
});

test("classes are served by weight, and none starves", () => {
  const queue = new FairQueue<E, number>();
  for (let i = 0; i < 100; i += 1) {
    for (const priority of ["low", "normal", "high"] as const) {
      queue.push(new QueueItem<E, number>({ client: priority, priority, request: i }));
    }
  }
  const served = Array.from({ length: 105 }, () => queue.take("e")?.client ?? "");
  const count = (name: string) => served.filter((client) => client === name).length;
  expect([count("high"), count("normal"), count("low")]).toEqual([80, 20, 5]);
  // Whoever waits sees his turn within as many as all weights together.
  expect(served.slice(0, 21)).toContain("low");
});

test("a class that nobody waited in has saved nothing up", () => {
  const queue = new FairQueue<E, number>();
  const push = (client: "high" | "low", request: number) =>
    queue.push(new QueueItem<E, number>({ client, priority: client, request }));
  for (let i = 0; i < 40; i += 1) push("high", i);
  for (let i = 0; i < 39; i += 1) queue.take("e");
  for (let i = 0; i < 40; i += 1) push("low", i);
  for (let i = 0; i < 40; i += 1) push("high", i);
  const served = Array.from({ length: 34 }, () => queue.take("e")?.client);
  expect(served.filter((client) => client === "low").length).toBeLessThanOrEqual(3);
});

test("a request that failed elsewhere goes first, but not to where it was", () => {
  const queue = new FairQueue<E, number>();
  queue.push(ticket("a", 1));
  queue.push(ticket("a", 2, { tried: ["e"] }));
  queue.push(ticket("b", 3, { tried: ["f"] }));
  expect(queue.take("e")?.request).toBe(3);
  expect(queue.take("e")?.request).toBe(1);
  expect(queue.take("e")).toBeUndefined();
  expect(queue.size).toBe(1);
  expect(queue.take("f")?.request).toBe(2);
});

test("a ticket is removed once, from anywhere; dissolving takes all", () => {
  const queue = new FairQueue<E, number>();
  const tickets = [
    ticket("a", 1),
    ticket("a", 2),
    ticket("b", 3),
    ticket("b", 4, { tried: ["e"] }),
  ];
  for (const one of tickets) queue.push(one);
  const [, second, third] = tickets;
  if (second === undefined || third === undefined) throw new Error("too few");
  expect([queue.remove(second), queue.remove(second), queue.remove(third)]).toEqual([
    true,
    false,
    true,
  ]);
  expect([queue.size, queue.clients]).toEqual([2, 1]);
  expect([queue.takeAny()?.request, queue.takeAny()?.request, queue.takeAny()]).toEqual([
    4,
    1,
    undefined,
  ]);
});

/** Something that happens to a queue: a client comes, the n-th ticket leaves, a slot gets free. */
const event = fc.oneof(
  fc.record({ kind: fc.constant("come"), client: fc.constantFrom("a", "b", "c", "d") }),
  fc.record({ kind: fc.constant("leave"), index: fc.nat(50) }),
  fc.record({ kind: fc.constant("free") }),
) as fc.Arbitrary<
  { kind: "come"; client: string } | { kind: "leave"; index: number } | { kind: "free" }
>;

describe("whatever comes, leaves and gets free", () => {
  test("within a client it is first come, first served, and nobody is lost or served twice", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const queue = new FairQueue<E, number>();
        let waiting: QueueItem<E, number>[] = [];
        events.forEach((one, i) => {
          if (one.kind === "come") {
            const next = ticket(one.client, i);
            waiting.push(next);
            queue.push(next);
          } else if (one.kind === "leave") {
            const leaver = waiting[one.index % Math.max(1, waiting.length)];
            if (leaver !== undefined) expect(queue.remove(leaver)).toBe(true);
            waiting = waiting.filter((other) => other !== leaver);
          } else {
            const taken = queue.take("e");
            expect(taken === undefined).toBe(waiting.length === 0);
            expect(taken).toBe(waiting.find(({ client }) => client === taken?.client));
            waiting = waiting.filter((other) => other !== taken);
          }
          expect(queue.size).toBe(waiting.length);
          expect(queue.clients).toBe(new Set(waiting.map(({ client }) => client)).size);
        });
      }),
      { numRuns: 300 },
    );
  });

  test("between two turns of a client that waits, every other has one turn at most", () => {
    const flood = fc.array(fc.constantFrom("a", "b", "c", "d", "free", "free"), { maxLength: 300 });
    fc.assert(
      fc.property(flood, (steps) => {
        const queue = new FairQueue<E, number>();
        const since = new Map<string, Map<string, number>>();
        steps.forEach((step, i) => {
          if (step !== "free") {
            queue.push(ticket(step, i));
            if (!since.has(step)) since.set(step, new Map());
            return;
          }
          const client = queue.take("e")?.client;
          if (client === undefined) return;
          for (const [waiter, turns] of since) {
            const count = (turns.get(client) ?? 0) + 1;
            if (waiter !== client) expect(count).toBe(1);
            turns.set(client, count);
          }
          if (queue.own(client) === 0) since.delete(client);
          else since.set(client, new Map());
        });
      }),
      { numRuns: 300 },
    );
  });
});
