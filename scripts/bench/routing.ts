import { SlotGate } from "../../src/balancer/routing/gate.ts";
import { PrefixIndex } from "../../src/balancer/routing/prefix.ts";
import { fingerprint } from "../../src/balancer/routing/prompt.ts";
import type { Strategy } from "../../src/config/fields/endpoints.ts";
import { TestEndpoint } from "../../src/testkit/routable.ts";

/** What is measured: one decision among so many endpoints, of which some have the model. */
interface Case {
  strategy: Strategy;
  endpoints: number;
  /** Endpoints that have each model. */
  serving: number;
  models: number;
  /** Requests that wait all the time; then it is their slots' handing over. */
  waiting: number;
}

const ROUNDS = 9;
const BATCH = 20_000;
const PROMPT_CHARS = 4000;

/** Runs a number of decisions; resolves when they are done. */
type Batch = (count: number) => void | Promise<void>;

function prepare({ strategy, endpoints, serving, models, waiting }: Case): Batch {
  const names = Array.from({ length: models }, (_, i) => `model-${i}`);
  const byModel = new Map<string, TestEndpoint[]>();
  const all = Array.from({ length: endpoints }, (_, i) => {
    const sampledAtMs = performance.timeOrigin + performance.now();
    const slots = waiting > 0 ? 1 : 8;
    const latencyMs = 100 + (i % 7);
    return new TestEndpoint({ name: `e${i}`, models: [], latencyMs, sampledAtMs, slots });
  });
  for (const [i, name] of names.entries()) {
    const having = all
      .slice(0, serving)
      .map((_, k) => all[(i * serving + k) % endpoints] as TestEndpoint);
    for (const one of having) one.served.add(name);
    byModel.set(name, having);
  }
  const gate = new SlotGate<TestEndpoint>({
    candidates: (model) => byModel.get(model) ?? [],
    strategy,
    prefixes: new PrefixIndex<TestEndpoint>(),
    timeoutMs: 600_000,
  });
  return waiting > 0 ? handingOver(gate, waiting, serving) : granting(gate, names);
}

/** A request finds a free slot, is answered and gives the slot back. */
function granting(gate: SlotGate<TestEndpoint>, models: string[]): Batch {
  const prompts = Array.from({ length: 64 }, (_, i) =>
    fingerprint("m", { prompt: `${i} `.repeat(PROMPT_CHARS / 2) }),
  );
  let next = 0;
  return (count) => {
    for (let i = 0; i < count; i += 1) {
      next += 1;
      const model = models[next % models.length] ?? "";
      const entry = gate.acquire({
        model,
        client: "c",
        fingerprint: prompts[next % prompts.length],
      });
      if (entry instanceof Promise || entry.kind !== "granted") throw new Error("no slot");
      const nowMs = gate.now();
      entry.grant.answered(nowMs, 100 + (next % 7));
      entry.grant.finish({ success: true, nowMs, latencyMs: 100 });
    }
  };
}

/** All slots are taken and some requests wait: each that ends makes place for one that comes. */
function handingOver(gate: SlotGate<TestEndpoint>, waiting: number, slots: number): Batch {
  let next = 0;
  const enter = () => {
    next += 1;
    return gate.acquire({ model: "model-0", client: `c${next % 4}` });
  };
  const entries = Array.from({ length: slots + waiting }, enter);
  return async (count) => {
    for (let i = 0; i < count; i += 1) {
      const entry = await entries.shift();
      if (entry?.kind !== "granted") throw new Error(entry?.kind);
      entry.grant.finish({ success: true, nowMs: gate.now(), latencyMs: 100 });
      entries.push(enter());
    }
  };
}

/** Median nanoseconds per decision of each case; rounds alternate between the cases. */
async function measure(batches: Batch[], count: number): Promise<number[]> {
  const times = batches.map(() => [] as number[]);
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [i, batch] of batches.entries()) {
      const start = performance.now();
      await batch(count);
      // The first round only warms up.
      if (round >= 0) times[i]?.push(((performance.now() - start) / count) * 1e6);
    }
  }
  return times.map((all) => all.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN);
}

function show(name: string, ns: number, base: number): void {
  const ratio = (ns / base).toFixed(2);
  process.stdout.write(`${name.padEnd(52)}${ns.toFixed(0).padStart(9)} ns  x${ratio}\n`);
}

async function compare(title: string, cases: Case[], count = BATCH): Promise<void> {
  process.stdout.write(`\n${title}\n`);
  const medians = await measure(cases.map(prepare), count);
  for (const [i, { strategy, endpoints, serving, models }] of cases.entries()) {
    const name = `${strategy}: ${endpoints} endpoints, ${serving} per model, ${models} models`;
    show(`  ${name}`, medians[i] ?? Number.NaN, medians[0] ?? Number.NaN);
  }
}

async function fingerprints(): Promise<void> {
  process.stdout.write("\nfingerprint of a chat\n");
  const sizes = [1_000, 10_000, 100_000];
  const batches = sizes.map((size): Batch => {
    const content = 'const answer = "forty-two";\n'.repeat(20);
    const messages = Array.from({ length: size / 500 }, () => ({ role: "user", content }));
    return (count) => {
      for (let i = 0; i < count; i += 1) fingerprint("m", { messages });
    };
  });
  const medians = await measure(batches, 500);
  for (const [i, size] of sizes.entries()) {
    show(`  about ${size} characters`, medians[i] ?? Number.NaN, medians[0] ?? Number.NaN);
  }
}

const base: Case = { strategy: "prefix", endpoints: 2, serving: 2, models: 10, waiting: 0 };
for (const strategy of ["prefix", "latency", "least-busy", "round-robin"] as const) {
  await compare("decision with a free slot, and giving it back", [
    { ...base, strategy },
    { ...base, strategy, endpoints: 500 },
    { ...base, strategy, models: 10_000 },
    { ...base, strategy, endpoints: 500, models: 10_000 },
    { ...base, strategy, endpoints: 500, serving: 500 },
  ]);
}
await compare(
  "waiting, and handing over (with timers and promises)",
  [
    { ...base, waiting: 40 },
    { ...base, waiting: 40, endpoints: 500, models: 10_000 },
    { ...base, waiting: 40, endpoints: 500, serving: 500 },
  ],
  2000,
);
await fingerprints();
process.exit(0);
