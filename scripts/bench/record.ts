import { Metrics } from "../../src/balancer/record/metrics.ts";
import { type RecordedRequest, RequestRecord } from "../../src/balancer/record/record.ts";
import { Recorder } from "../../src/balancer/record/recorder.ts";
import type { TokenCount } from "../../src/balancer/record/tokencount.ts";
import type { HistoryBodies } from "../../src/config/fields/storage.ts";
import type { NewRequestRow } from "../../src/db/history/records.ts";
import { createLogger } from "../../src/lib/log.ts";
import { ROUTES } from "../../src/wire/route.ts";

/**
 * What recording costs: per request while it runs and after its end, per piece of a stream, and
 * the text of full metrics. Run as `npm run bench record`; takes about 10 s.
 */

const ROUNDS = 7;
const REQUESTS = 20_000;
const PIECES = 1_000_000;

const body = Buffer.from(
  JSON.stringify({ model: "m1", messages: [{ role: "user", content: "word ".repeat(200) }] }),
);
const answer = Buffer.from(
  JSON.stringify({
    choices: [{ message: { role: "assistant", content: "word ".repeat(100) } }],
    usage: { prompt_tokens: 210, completion_tokens: 100, total_tokens: 310 },
  }),
);
const piece = Buffer.from(
  `data: ${JSON.stringify({ id: "chatcmpl-1", choices: [{ delta: { content: "word" } }] })}\n\n`,
);
const REQUEST: RecordedRequest = {
  ...{ requestId: "req_1", route: ROUTES.chat, modelId: "m1", streams: false },
  principal: { keyId: "key_0123456789ab", address: "127.0.0.1" },
};
const SENT = new Promise<never>(() => undefined);
const endpointOf = (name: string) => ({
  id: name,
  name,
  url: "http://gpu1:8080",
  telemetryName: "vllm",
});
const NOTHING: TokenCount = { usage: undefined, source: null };
const endpoint = endpointOf("gpu1");

const recordOf = (request: RecordedRequest, headMax = 4096) =>
  new RequestRecord({ request, body, headMax, onEnd: () => undefined });

const metricsOf = () =>
  new Metrics({ sources: { endpoints: () => [], hasModel: () => true, active: () => 0 } });

/** A request that is answered at once; its record is made later. */
function request(recorder: Recorder): void {
  const entry = recorder.begin(REQUEST, body);
  entry.sent(endpoint);
  entry.push(answer);
  entry.answered(200, SENT);
  entry.ended("complete");
}

async function requests(bodies: HistoryBodies): Promise<Record<string, number>> {
  const history = { record: (_: NewRequestRow) => undefined };
  const log = createLogger({ level: "silent" });
  const recorder = new Recorder({ history, metrics: metricsOf(), bodies, log });
  const running: number[] = [];
  const after: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMs = performance.now();
    for (let i = 0; i < REQUESTS; i += 1) request(recorder);
    const endMs = performance.now();
    await recorder.flush();
    running.push(((endMs - startMs) * 1e6) / REQUESTS);
    after.push(((performance.now() - endMs) * 1e6) / REQUESTS);
  }
  return {
    [`request, while it runs (bodies: ${bodies})`]: median(running),
    [`request, after its end (bodies: ${bodies})`]: median(after),
  };
}

function pieces(): number {
  const each = Array.from({ length: ROUNDS }, () => {
    const entry = recordOf(REQUEST, 64 * 1024);
    const startMs = performance.now();
    for (let i = 0; i < PIECES; i += 1) entry.push(piece);
    return ((performance.now() - startMs) * 1e6) / PIECES;
  });
  return median(each);
}

function counting(): number {
  const metrics = metricsOf();
  const entry = recordOf(REQUEST);
  entry.sent(endpoint);
  entry.push(answer);
  entry.answered(200, SENT);
  entry.ended("complete");
  const tokens: TokenCount = { usage: { input: 1, output: 2, cached: 0 }, source: "usage" };
  const each = Array.from({ length: ROUNDS }, () => {
    const startMs = performance.now();
    for (let i = 0; i < PIECES; i += 1) metrics.record(entry, tokens);
    return ((performance.now() - startMs) * 1e6) / PIECES;
  });
  return median(each);
}

/** The largest text there can be: every label is taken. */
async function text(): Promise<{ ms: number; bytes: number }> {
  const metrics = metricsOf();
  for (let i = 0; i < 100_000; i += 1) {
    const entry = recordOf({ ...REQUEST, modelId: `m${i % 250}` });
    entry.sent(endpointOf(`e${i % 600}`));
    entry.answered(200, SENT);
    entry.ended("complete");
    metrics.record(entry, NOTHING);
  }
  let bytes = 0;
  const each: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startMs = performance.now();
    bytes = (await metrics.text()).length;
    each.push(performance.now() - startMs);
  }
  return { ms: median(each), bytes };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const rows: Record<string, number> = {
  "piece of a stream": pieces(),
  "counting a request in the metrics": counting(),
};
for (const bodies of ["none", "redacted", "full"] as const) {
  Object.assign(rows, await requests(bodies));
}
console.log("| measure | ns |\n|---|---|");
for (const [name, ns] of Object.entries(rows)) console.log(`| ${name} | ${ns.toFixed(0)} |`);
const { ms, bytes } = await text();
console.log(`\nText of full metrics: ${(bytes / 1e6).toFixed(1)} MB in ${ms.toFixed(1)} ms`);
