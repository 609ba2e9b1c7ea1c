import { describe, expect, test } from "bun:test";
import { parseExposition } from "../../testkit/exposition.ts";
import { ApiError } from "../../wire/error.ts";
import { ROUTES } from "../../wire/route.ts";
import type { MetricSources } from "./gauges.ts";
import { Metrics, type MetricsOptions } from "./metrics.ts";
import { type RecordedRequest, RequestRecord } from "./record.ts";
import type { TokenCount } from "./tokencount.ts";

const sources: MetricSources = {
  endpoints: () => [
    { name: "a", status: "online", inFlight: 2, slots: 8, circuit: "closed", latencyMs: 250 },
    { name: 'odd "name"\n', status: "offline", inFlight: 0, circuit: "open" },
  ],
  hasModel: (model) => model.startsWith("known"),
  active: () => 3,
  queue: () => ({ waiting: 4, rejected: 5, timedOut: 6 }),
  history: () => ({ pending: 7, dropped: 8 }),
};

/** How an answer was sent is told by hand. */
const NEVER = new Promise<never>(() => undefined);

function entryOf(modelId: string, more: Partial<RecordedRequest> = {}): RequestRecord {
  const principal = { keyId: undefined, address: undefined };
  const route = ROUTES.chat;
  const request = { requestId: "r", route, modelId, streams: false, principal, ...more };
  return new RequestRecord({
    request,
    body: new Uint8Array(),
    headMax: 10,
    onEnd: () => undefined,
  });
}

const at = (name: string) => ({ id: name, name, url: "http://x", telemetryName: "vllm" });

const COUNTED: TokenCount = { usage: { input: 10, output: 5, cached: 2 }, source: "usage" };
const NOTHING: TokenCount = { usage: undefined, source: null };

/** Ends a request at an endpoint. */
function served(metrics: Metrics, model: string, endpoint: string): void {
  const entry = entryOf(model);
  entry.sent(at(endpoint));
  entry.answered(200, NEVER);
  entry.ended("complete");
  metrics.record(entry, COUNTED);
}

async function linesOf(metrics: Metrics) {
  const lines = parseExposition(await metrics.text());
  const value = (name: string, labels: Record<string, string> = {}) =>
    lines.find((line) => line.name === name && Bun.deepEquals(line.labels, labels))?.value;
  return { lines, value };
}

const make = (more: Partial<MetricsOptions> = {}) => new Metrics({ sources, ...more });

describe("metrics", () => {
  test("count requests, tokens, retries and times by model and endpoint", async () => {
    const metrics = make();
    const entry = entryOf("known");
    entry.sent(at("b"));
    entry.waited(2);
    entry.waited(40);
    entry.sent(at("a"));
    entry.push(new Uint8Array(1));
    entry.answered(200, NEVER);
    entry.ended("complete");
    metrics.record(entry, COUNTED);
    const { value } = await linesOf(metrics);
    const labels = { model: "known", endpoint: "a" };
    expect(value("llmlb_requests_total", { status: "2xx", ...labels })).toBe(1);
    expect(value("llmlb_input_tokens_total", labels)).toBe(10);
    expect(value("llmlb_output_tokens_total", labels)).toBe(5);
    expect(value("llmlb_cached_tokens_total", labels)).toBe(2);
    expect(value("llmlb_retries_total", labels)).toBe(1);
    expect(value("llmlb_first_byte_seconds_count", labels)).toBe(1);
    expect(value("llmlb_request_seconds_bucket", { le: "0.01", ...labels })).toBe(1);
    expect(value("llmlb_request_seconds_bucket", { le: "+Inf", ...labels })).toBe(1);
    expect(value("llmlb_queue_wait_seconds_bucket", { le: "0.025" })).toBe(0);
    expect(value("llmlb_queue_wait_seconds_bucket", { le: "0.05" })).toBe(1);
  });

  test("tell how requests ended", async () => {
    const metrics = make();
    const ways: [string, (entry: RequestRecord) => void][] = [
      ["4xx", (entry) => entry.refused(new ApiError("rate_limited", "full"))],
      ["5xx", (entry) => entry.refused(new Error("bug"))],
      ["cancelled", (entry) => entry.refused(new ApiError("client_closed", "gone"))],
      ["cancelled", (entry) => entry.ended("cancelled")],
      ["broken", (entry) => entry.ended("failed")],
    ];
    for (const [, end] of ways) {
      const entry = entryOf("known");
      end(entry);
      metrics.record(entry, NOTHING);
    }
    metrics.countUnreadable(new ApiError("invalid_request", "no JSON"));
    const { value } = await linesOf(metrics);
    for (const [status] of ways) {
      const count = ways.filter(([other]) => other === status).length;
      const labels = { model: "known", endpoint: "", status };
      expect(value("llmlb_requests_total", labels)).toBe(count);
    }
    expect(value("llmlb_requests_unreadable_total")).toBe(1);
  });

  test("show the state of the moment", async () => {
    const { value } = await linesOf(make());
    expect(value("llmlb_requests_active")).toBe(3);
    expect(value("llmlb_endpoint_status", { endpoint: "a", status: "online" })).toBe(1);
    expect(value("llmlb_endpoint_active", { endpoint: "a" })).toBe(2);
    expect(value("llmlb_endpoint_slots", { endpoint: "a" })).toBe(8);
    expect(value("llmlb_endpoint_latency_seconds", { endpoint: "a" })).toBe(0.25);
    expect(value("llmlb_endpoint_circuit", { endpoint: 'odd "name"\n' })).toBe(1);
    expect(value("llmlb_queue_waiting")).toBe(4);
    expect(value("llmlb_queue_rejected_total")).toBe(5);
    expect(value("llmlb_queue_timeouts_total")).toBe(6);
    expect(value("llmlb_history_pending")).toBe(7);
    expect(value("llmlb_history_dropped_total")).toBe(8);
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(value("process_cpu_seconds_total")).toBeGreaterThan(0);
  });

  test("have no label for what clients make up", async () => {
    const metrics = make();
    const before = (await linesOf(metrics)).lines.length;
    for (let i = 0; i < 1000; i += 1) {
      const entry = entryOf(`made up ${Math.random()}"\n`);
      entry.refused(new ApiError("model_not_found", "none"));
      metrics.record(entry, NOTHING);
    }
    const { lines, value } = await linesOf(metrics);
    expect(value("llmlb_requests_total", { model: "", endpoint: "", status: "4xx" })).toBe(1000);
    // Beside the counts, one histogram of all of them.
    expect(lines.length).toBeLessThan(before + 30);
  });

  test("have a bounded number of labels, and lose no count", async () => {
    const metrics = make({ modelsMax: 20, endpointsMax: 10, pairsMax: 50 });
    for (let i = 0; i < 1000; i += 1) served(metrics, `known ${i}`, `endpoint ${i % 30}`);
    const { lines } = await linesOf(metrics);
    const counts = lines.filter(({ name }) => name === "llmlb_requests_total");
    expect(counts.reduce((sum, { value }) => sum + value, 0)).toBe(1000);
    expect(counts.length).toBeLessThanOrEqual(50 + 11);
    expect(new Set(counts.map(({ labels }) => labels.model)).size).toBeLessThanOrEqual(21);
    expect(new Set(counts.map(({ labels }) => labels.endpoint)).size).toBeLessThanOrEqual(11);
  });
});
