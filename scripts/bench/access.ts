import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Accounts } from "../../src/auth/accounts.ts";
import { openState } from "../../src/db/database.ts";
import { createLogger } from "../../src/lib/log.ts";
import { NO_LIMITS } from "../../src/wire/limits.ts";
import { median } from "./rig/load.ts";
import type { PinnedProcess } from "./rig/pinned.ts";
import {
  inTurns,
  load,
  requestCostUs,
  requireTools,
  startBalancer,
  startUpstream,
  type Target,
} from "./rig/throughput.ts";

/**
 * What access control costs a request: processor time of a balancer that asks nobody, of one with
 * 10,000 keys, and of one whose key has limits as well, in turns in one run. Run as
 * `npm run bench access -- [ROUNDS]`.
 */

const KEYS = 10_000;
const ROUNDS_DEFAULT = 8;
const ROUND_S = 2;
const WARM_UP_S = 6;
/** High enough that none refuses. */
const LIMITS = {
  ...NO_LIMITS,
  requests_per_minute: 1e9,
  tokens_per_minute: 1e12,
  concurrent_requests: 10_000,
  tokens_per_day: 1e15,
  tokens_per_month: 1e15,
};

async function main([rounds = String(ROUNDS_DEFAULT)]: string[]): Promise<void> {
  requireTools("wrk", "taskset");
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const started: PinnedProcess[] = [];
  try {
    const upstream = await startUpstream("upstream.ts");
    started.push(upstream);
    const home = join(folder, "keys");
    const { plain, limited } = await makeKeys(home);
    const open = await startBalancer([upstream.url], folder);
    const guarded = await startBalancer([upstream.url], folder, undefined, {
      home,
      more: ["--access", "required"],
    });
    started.push(open, guarded);
    const keyed = (key: string) => ({ authorization: `Bearer ${key}` });
    const targets: Target[] = [
      { name: "no access control", server: open },
      { name: `a key of ${KEYS}`, server: guarded, headers: keyed(plain) },
      { name: "a key with limits", server: guarded, headers: keyed(limited) },
    ];
    for (const target of targets) await load(target, WARM_UP_S, folder);
    await compare(targets, Number(rounds), folder);
  } finally {
    for (const server of started.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function makeKeys(home: string): Promise<{ plain: string; limited: string }> {
  const state = await openState({ home, log: createLogger({ level: "silent" }) });
  const accounts = await Accounts.open(state);
  const { id: userId } = await accounts.createUser({
    ...{ name: "admin", role: "admin", passwordHash: "none" },
  });
  const make = (name: string, limits = NO_LIMITS) =>
    accounts.createKey({ userId, name, permissions: ["openai.inference"], limits });
  for (let i = 0; i < KEYS - 2; i += 1) await make(`key ${i}`);
  const [plain, limited] = [await make("plain"), await make("limited", LIMITS)];
  await state.close();
  return { plain: plain.key, limited: limited.key };
}

async function compare(targets: Target[], rounds: number, folder: string): Promise<void> {
  const cost = (target: Target) => requestCostUs(target, ROUND_S, folder);
  const costs = await inTurns(targets, rounds, cost);
  const [base = []] = costs;
  console.log("| balancer | processor time/request | more than without |\n|---|---|---|");
  for (const [i, values] of costs.entries()) {
    const more = median(values.map((value, round) => value - (base[round] ?? Number.NaN)));
    const middle = median(values).toFixed(1);
    console.log(`| ${targets[i]?.name} | ${middle} µs | ${more.toFixed(1)} µs |`);
  }
}

await main(process.argv.slice(2));
