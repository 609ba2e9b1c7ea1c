import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openState } from "../../src/db/database.ts";
import { createLogger } from "../../src/lib/log.ts";
import { HubClient } from "../../src/registry/hubclient.ts";
import { fakeBalancer } from "../../src/testkit/balancer.ts";
import { startHub } from "../../src/testkit/servers/hub/hub.ts";
import { safetensorsRepo, variantsRepo } from "../../src/testkit/servers/hub/samples.ts";

/*
 * How long it takes to register models, with a hub whose every answer comes a second late: what the
 * hub is asked for one model, the same for many at once, and how soon a model can be seen.
 */

const LATENCY_MS = 1000;
const MODELS = 20;
const AT_ONCE = 4;
const METADATA_MS_MAX = 3000;
const VISIBLE_MS_MAX = 5000;

async function main(): Promise<void> {
  await using hub = await startHub();
  const names: string[] = [];
  for (let i = 0; i < MODELS; i += 1) {
    const name = `acme/model-${i}`;
    // Repositories with several variants, and those whose index must be read besides.
    await hub.add(i % 2 === 0 ? variantsRepo(name) : safetensorsRepo(name));
    names.push(name);
  }
  hub.latencyMs = LATENCY_MS;
  report("metadata, one at a time", await metadata(hub.url, names, 1), METADATA_MS_MAX);
  report(`metadata, ${AT_ONCE} at once`, await metadata(hub.url, names, AT_ONCE), METADATA_MS_MAX);
  report("registered and listed", await visible(hub.url, names), VISIBLE_MS_MAX);
}

/** Times of looking models up, each for the first time. */
async function metadata(hubUrl: string, names: string[], atOnce: number): Promise<number[]> {
  const home = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const log = createLogger({ level: "silent" });
  const state = await openState({ home, log });
  const client = new HubClient({ hubUrl, token: null, allowlist: [], cache: state.hubCache, log });
  const { signal } = new AbortController();
  try {
    return await timed(names, atOnce, async (name) => {
      await client.snapshot(name, "main", signal);
    });
  } finally {
    await state.close();
    rmSync(home, { recursive: true });
  }
}

/** Times from the request until another client sees the model in the list. */
async function visible(hubUrl: string, names: string[]): Promise<number[]> {
  await using balancer = await fakeBalancer({}, { hubUrl });
  const { url } = balancer;
  return await timed(names, AT_ONCE, async (repo) => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ repo });
    const answer = await fetch(`${url}/api/models/register`, { method: "POST", headers, body });
    if (answer.status !== 201) throw new Error(await answer.text());
    const list = await (await fetch(`${url}/api/models`)).text();
    if (!list.includes(`"hf/${repo}"`)) throw new Error(`${repo} is not listed`);
  });
}

async function timed(
  names: string[],
  atOnce: number,
  work: (name: string) => Promise<void>,
): Promise<number[]> {
  const left = [...names];
  const times: number[] = [];
  async function worker() {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const startedAt = performance.now();
      await work(name);
      times.push(performance.now() - startedAt);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker));
  return times.sort((a, b) => a - b);
}

function report(what: string, times: number[], limitMs: number): void {
  const at = (share: number) => times[Math.ceil(times.length * share) - 1] ?? 0;
  const [p50, p95, most] = [at(0.5), at(0.95), at(1)].map((ms) => `${(ms / 1000).toFixed(2)} s`);
  const verdict = at(0.95) <= limitMs ? "ok" : `more than ${limitMs / 1000} s`;
  process.stdout.write(`${what.padEnd(28)} p50 ${p50}  p95 ${p95}  max ${most}  ${verdict}\n`);
}

await main();
