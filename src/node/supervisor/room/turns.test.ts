import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import fc from "fast-check";
import { mulberry32 } from "../../../testkit/random.ts";
import { pass, SharedRoom } from "../../../testkit/sharedroom.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

interface Crowd {
  /** The model that the n-th request of a client is for. */
  choose(client: number, n: number): string;
  clients: number;
  workMs: number;
  forMs: number;
}

/** Clients that ask again as soon as they are answered: how long each request waited, by model. */
async function crowd(host: SharedRoom, { choose, clients, workMs, forMs }: Crowd) {
  const waits = new Map<string, number[]>();
  const order: string[] = [];
  const failures: unknown[] = [];
  const endMs = Date.now() + forMs;
  const client = async (i: number) => {
    for (let n = 0; Date.now() < endMs; n += 1) {
      const name = choose(i, n);
      order.push(name);
      const waited = await host.ask(name, workMs).catch((error: unknown) => failures.push(error));
      waits.set(name, [...(waits.get(name) ?? []), waited]);
    }
  };
  let running = clients;
  for (let i = 0; i < clients; i += 1) void client(i).finally(() => (running -= 1));
  while (running > 0) await pass(1000);
  expect(failures).toEqual([]);
  return { waits, order };
}

const turnMs = (loadMs: number) => Math.min(60_000, Math.max(5000, loadMs));

/** The bound that `Room` promises for one request, and what its simulation rounds up. */
function boundMs(loadMs: Record<string, number>, workMs: number, name: string): number {
  const others = Object.entries(loadMs).filter(([one]) => one !== name);
  const before = others.reduce((sum, [, ms]) => sum + ms + turnMs(ms) + workMs, 0);
  const own = loadMs[name] ?? 0;
  return workMs + before + own + 100 * (3 * others.length + 3);
}

test("a model is never kept out by another one that has work all the time", async () => {
  const loadMs = { a: 1000, b: 20_000 };
  const host = new SharedRoom({ places: 1, loadMs });
  const names = ["a", "b"];
  const choose = (i: number) => names[i % 2] ?? "";
  const { waits } = await crowd(host, { choose, clients: 8, workMs: 700, forMs: 300_000 });
  for (const name of names) {
    expect(Math.max(...(waits.get(name) ?? []))).toBeLessThanOrEqual(boundMs(loadMs, 700, name));
    expect(waits.get(name)?.length).toBeGreaterThan(100);
  }
  // Of 300 s and what it takes to end, 47 s go into each pair of turns.
  expect(host.loads.length).toBeLessThanOrEqual(16);
  expect(host.loadedMax).toBe(1);
});

test("nobody waits longer than the bound, whatever the mix", async () => {
  const names = ["a", "b", "c", "d"];
  const asked = fc.record({
    ...{ places: fc.integer({ min: 1, max: 3 }), clients: fc.integer({ min: 1, max: 12 }) },
    ...{ workMs: fc.integer({ min: 1, max: 80 }).map((n) => n * 100), seed: fc.nat() },
    loads: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 4, maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(asked, async ({ places, clients, workMs, seed, loads }) => {
      const loadMs = Object.fromEntries(names.map((name, i) => [name, (loads[i] ?? 1) * 100]));
      const host = new SharedRoom({ places, loadMs });
      const random = randomOf(seed);
      const choose = () => names[Math.floor(random() * names.length)] ?? "";
      const { waits } = await crowd(host, { choose, clients, workMs, forMs: 60_000 });
      expect(host.loadedMax).toBeLessThanOrEqual(places);
      for (const [name, ms] of waits) {
        expect(Math.max(...ms)).toBeLessThanOrEqual(boundMs(loadMs, workMs, name));
      }
    }),
    { numRuns: 15 },
  );
});

test("12 models with room for 3 are loaded less often than in the order of requests", async () => {
  const names = Array.from({ length: 12 }, (_, i) => `m${i}`);
  const loadMs = Object.fromEntries(names.map((name) => [name, 1000]));
  const host = new SharedRoom({ places: 3, loadMs });
  const random = randomOf(7);
  const choose = () => names[Math.floor(random() * names.length)] ?? "";
  const { order } = await crowd(host, { choose, clients: 40, workMs: 300, forMs: 120_000 });
  expect(order.length).toBeGreaterThan(500);
  expect(host.loads.length).toBeLessThan(fewestLoads(order, 3));
});

test("who gives up waiting lets requests in again to those that were to end", async () => {
  const host = new SharedRoom({ places: 1, loadMs: { a: 100, b: 100 }, waitMs: 8000 });
  const long = host.ask("a", 20_000);
  await pass(1000);
  const refused = host.ask("b", 100).catch((error: { code: string }) => error.code);
  await pass(6000);
  const later = host.ask("a", 100);
  await pass(4000);
  expect(await refused).toBe("no_room");
  expect(await later).toBeLessThan(3000);
  await pass(20_000);
  expect(await long).toBeLessThan(1000);
  expect(host.loads).toEqual(["a"]);
});

/** Fewest loads that answer requests one after the other (Belady). */
function fewestLoads(order: readonly string[], places: number): number {
  const loaded = new Set<string>();
  let loads = 0;
  for (const [i, name] of order.entries()) {
    if (loaded.has(name)) continue;
    loads += 1;
    if (loaded.size === places) {
      const next = (one: string) => order.indexOf(one, i) + (order.includes(one, i) ? 0 : 1e9);
      loaded.delete([...loaded].sort((a, b) => next(b) - next(a))[0] ?? "");
    }
    loaded.add(name);
  }
  return loads;
}

/** Numbers from 0 to 1 that are the same for the same seed. */
function randomOf(seed: number): () => number {
  const next = mulberry32(seed);
  return () => next() / 2 ** 32;
}
