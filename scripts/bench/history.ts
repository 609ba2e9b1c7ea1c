import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openState, type State } from "../../src/db/database.ts";
import type { NewRequestRow } from "../../src/db/history/records.ts";
import type { RequestFilter } from "../../src/db/history/requestfilter.ts";
import { createLogger } from "../../src/lib/log.ts";

/**
 * What writing and reading a large history costs: fills one, then reads a page with each filter
 * alone and with each pair of filters, for values that are common, rare, and nowhere. Run as
 * `npm run bench history`; a number behind it is that of the rows (a million). Takes some minutes.
 * A history in the folder `HISTORY_HOME` is kept, and read again the next time.
 */

const ROWS = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = 5;
const LIMIT = 50;
const DAYS_MS = 7 * 86_400_000;
const NOW = Date.now();

const MODELS = Array.from({ length: 20 }, (_, i) => `org-${i % 5}/model-${i}`);
/** Each at a few of the endpoints, so that many pairs of model and endpoint have no request. */
const ENDPOINTS = Array.from({ length: 12 }, (_, i) => ({ id: uuid("e", i), name: `gpu${i}` }));
const USERS = Array.from({ length: 60 }, (_, i) => uuid("a", i));
const KEYS = Array.from({ length: 300 }, (_, i) => uuid("b", i));
const CLIENTS = ["OpenAI/Python", "OpenAI/JS", "curl", "Mozilla", "Anthropic/JS", "ollama-js"];
const STATUSES = [400, 429, 499, 500, 502, 504];
const BODY = JSON.stringify({ messages: [{ role: "user", content: "<1200 characters>" }] });

function uuid(letter: string, i: number): string {
  return `${letter.repeat(8)}-0000-7000-8000-${String(i).padStart(12, "0")}`;
}

/** The same numbers every time. */
let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

/** One of a list; the first ones far more often. */
function oneOf<T>(list: readonly T[], skew = 3): T {
  return list[Math.floor(random() ** skew * list.length)] as T;
}

function requestAt(i: number): NewRequestRow {
  const model = Math.floor(random() ** 3 * MODELS.length);
  const endpoint = ENDPOINTS[(model * 5 + Math.floor(random() * 3)) % ENDPOINTS.length];
  const key = Math.floor(random() ** 2 * KEYS.length);
  const failed = random() < 0.03;
  const firstByteMs = 40 * 1.8 ** (random() * 6);
  return {
    requestId: `req_${i.toString(36).padStart(12, "0")}`,
    // The last models make embeddings, and nothing else.
    requestType: model >= 16 ? "embeddings" : oneOf(["chat", "chat", "responses", "generate"]),
    ...{ model: MODELS[model] ?? "", endpointId: endpoint?.id ?? null },
    ...{ endpointName: endpoint?.name ?? null, endpointUrl: "http://10.0.0.7:8080" },
    ...{ apiKeyId: KEYS[key] ?? null, userId: USERS[key % USERS.length] ?? null },
    // Half of them come through one proxy.
    clientIp: random() < 0.5 ? "10.0.0.1" : `10.1.${i % 7}.${Math.floor(random() ** 2 * 250)}`,
    client: oneOf(CLIENTS),
    startedAt: Math.round(NOW - DAYS_MS + (i / ROWS) * DAYS_MS),
    ...{ succeeded: !failed, httpStatus: failed ? oneOf(STATUSES, 1) : 200 },
    ...{ error: failed ? "endpoint_error" : null, streamed: random() < 0.6 },
    ...{ firstByteMs, durationMs: firstByteMs * (1 + 20 * random()) },
    ...{ inputTokens: 400, outputTokens: 200, cachedTokens: 100, tokenSource: "usage" },
    ...{ requestBody: BODY, responseBody: BODY },
  };
}

async function fill(state: State): Promise<void> {
  const startMs = performance.now();
  for (let i = 0; i < ROWS; i += 1) {
    state.requests.record(requestAt(i));
    if (i % 10_000 === 9_999) await state.writes.flush();
  }
  await state.writes.flush();
  const seconds = (performance.now() - startMs) / 1000;
  const each = ((seconds / ROWS) * 1e6).toFixed(1);
  console.log(`${ROWS} rows in ${seconds.toFixed(1)} s, ${each} µs each, generating them included`);
}

/** Values of each filter: common, rare, nowhere. */
const VALUES: [name: string, ...RequestFilter[]][] = [
  ["model", ...[MODELS[0], MODELS[19], "none"].map((model = "") => ({ model }))],
  [
    "endpoint",
    ...[ENDPOINTS[0]?.id, ENDPOINTS[9]?.id, "none"].map((endpointId = "") => ({ endpointId })),
  ],
  ["key", ...[KEYS[0], KEYS[299], "none"].map((apiKeyId = "") => ({ apiKeyId }))],
  ["user", ...[USERS[0], USERS[59], "none"].map((userId = "") => ({ userId }))],
  ["address", ...["10.0.0.1", "10.1.3.249", "none"].map((clientIp) => ({ clientIp }))],
  ["client", ...["OpenAI/Python", "ollama-js", "none"].map((client) => ({ client }))],
  ["type", ...["chat", "embeddings", "speech"].map((requestType) => ({ requestType }))],
  ["status", { succeeded: true }, { succeeded: false }],
  ["http status", { httpStatus: 200 }, { httpStatus: 429 }, { httpStatus: 418 }],
  ["request id", { requestId: `req_${(5).toString(36).padStart(12, "0")}` }, { requestId: "none" }],
  ["time", { from: NOW - DAYS_MS / 2, until: NOW - DAYS_MS / 3 }, { until: NOW - DAYS_MS }],
];

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMs = performance.now();
    await work();
    times.push(performance.now() - startMs);
  }
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

async function measure(state: State): Promise<void> {
  const page = (filter: RequestFilter) => state.requests.page(filter, { limit: LIMIT });
  console.log("\n| filter | common ms | rare ms | nowhere ms |\n|---|---|---|---|");
  console.log(`| none | ${(await msOf(() => page({}))).toFixed(1)} | | |`);
  for (const [name, ...filters] of VALUES) {
    const times: string[] = [];
    for (const filter of filters) times.push((await msOf(() => page(filter))).toFixed(1));
    console.log(`| ${name} | ${times.join(" | ")} |`);
  }
  const pairs: { name: string; ms: number }[] = [];
  for (const [i, [left, ...lefts]] of VALUES.entries()) {
    for (const [right, ...rights] of VALUES.slice(i + 1)) {
      let ms = 0;
      for (const a of lefts) {
        for (const b of rights) ms = Math.max(ms, await msOf(() => page({ ...a, ...b })));
      }
      pairs.push({ name: `${left} and ${right}`, ms });
    }
  }
  pairs.sort((a, b) => b.ms - a.ms);
  console.log("\n| pair, its slowest values | ms |\n|---|---|");
  for (const { name, ms } of pairs.slice(0, 20)) console.log(`| ${name} | ${ms.toFixed(1)} |`);
  console.log(`| median of ${pairs.length} pairs | ${pairs[pairs.length >> 1]?.ms.toFixed(1)} |`);
}

async function others(state: State): Promise<void> {
  const { requests, usage } = state;
  const some = { model: MODELS[0] ?? "" };
  const rows: [string, () => Promise<unknown>][] = [
    ["how many there are", () => requests.count({})],
    ["how many of a common model", () => requests.count(some)],
    ["how many of a common model failed", () => requests.count({ ...some, succeeded: false })],
    ["usage by day", () => usage.rows({ by: "day" })],
    ["usage by hour and model", () => usage.rows({ by: "hour", group: "model" })],
    ["usage by day and key", () => usage.rows({ by: "day", group: "apiKeyId" })],
    ["usage by day, without times", () => usage.rows({ by: "day", withTimes: false })],
    ["usage of one user", () => usage.totals({ userId: USERS[0] ?? "" })],
  ];
  console.log("\n| other questions | ms |\n|---|---|");
  for (const [name, work] of rows) console.log(`| ${name} | ${(await msOf(work)).toFixed(1)} |`);
}

const home = process.env.HISTORY_HOME ?? mkdtempSync(join(tmpdir(), "llmlb-bench-history-"));
const log = createLogger({ level: "warn" });
const state = await openState({ home, log, historyMs: 1e13, historyBytesMax: 2 ** 40 });
try {
  if ((await state.requests.count({})) === 0) await fill(state);
  console.log(`${(statSync(join(home, "history.db")).size / 1e6).toFixed(0)} MB`);
  await measure(state);
  await others(state);
} finally {
  await state.close();
  if (process.env.HISTORY_HOME === undefined) rmSync(home, { recursive: true, force: true });
}
