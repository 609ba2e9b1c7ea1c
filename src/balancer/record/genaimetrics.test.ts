import { describe, expect, test } from "bun:test";
import { parseExposition } from "../../testkit/exposition.ts";
import { ApiError } from "../../wire/error.ts";
import { ROUTES } from "../../wire/route.ts";
import { Metrics } from "./metrics.ts";
import { secondsPerToken } from "./pace.ts";
import { type RecordedRequest, RequestRecord } from "./record.ts";
import type { TokenCount } from "./tokencount.ts";

const NEVER = new Promise<never>(() => undefined);
const COUNTED: TokenCount = { usage: { input: 10, output: 5, cached: 2 }, source: "usage" };
const ESTIMATED: TokenCount = { ...COUNTED, source: "estimate" };
const NOTHING: TokenCount = { usage: undefined, source: null };
const VLLM = { id: "a", name: "a", url: "http://x", telemetryName: "vllm" };

function recordOf(more: Partial<RecordedRequest> = {}): RequestRecord {
  const principal = { keyId: undefined, address: undefined };
  const given = { requestId: "r", route: ROUTES.chat, modelId: "m", streams: true, principal };
  const request = { ...given, ...more };
  return new RequestRecord({ request, body: new Uint8Array(), headMax: 9, onEnd: () => undefined });
}

/** A request that was answered well, with the times that are wanted. */
function served(more: Partial<RecordedRequest> = {}, firstTokenMs = 200, durationMs = 600) {
  const record = recordOf(more);
  record.sent(VLLM);
  record.began();
  record.answered(200, NEVER);
  record.ended("complete");
  return Object.assign(record, { firstTokenMs, durationMs });
}

const metricsOf = () =>
  new Metrics({ sources: { endpoints: () => [], hasModel: () => true, active: () => 0 } });

async function linesOf(metrics: Metrics) {
  const lines = parseExposition(await metrics.text());
  const value = (name: string, labels: Record<string, string> = {}) =>
    lines.find((line) => line.name === name && Bun.deepEquals(line.labels, labels))?.value;
  return { lines, value };
}

const CHAT = {
  gen_ai_operation_name: "chat",
  gen_ai_provider_name: "vllm",
  gen_ai_request_model: "m",
};

describe("the pace of an answer", () => {
  test("is that of the tokens after the first one", () => {
    // Four tokens in the 400 ms after the first one.
    expect(secondsPerToken(served(), COUNTED)).toBe(0.1);
  });

  test.each<[string, Partial<RecordedRequest>, TokenCount, number]>([
    ["of an answer in one piece", { streams: false }, COUNTED, 600],
    ["of tokens that are estimated", {}, ESTIMATED, 600],
    ["without a count", {}, NOTHING, 600],
    ["of a single token", {}, { usage: { input: 1, output: 1, cached: 0 }, source: "usage" }, 600],
    ["of what came at once", {}, COUNTED, 200.5],
  ])("is not told %s", (_, more, tokens, durationMs) => {
    expect(secondsPerToken(served(more, 200, durationMs), tokens)).toBeUndefined();
  });

  test("is not told of a stream that ends with an error", () => {
    const record = Object.assign(served(), { error: "stream_error" });
    expect(secondsPerToken(record, COUNTED)).toBeUndefined();
  });

  test("is in the metrics of model and endpoint", async () => {
    const metrics = metricsOf();
    metrics.record(served(), COUNTED);
    const { value } = await linesOf(metrics);
    const labels = { model: "m", endpoint: "a" };
    expect(value("llmlb_output_token_seconds_sum", labels)).toBe(0.1);
    expect(value("llmlb_output_token_seconds_bucket", { le: "0.075", ...labels })).toBe(0);
    expect(value("llmlb_output_token_seconds_bucket", { le: "0.1", ...labels })).toBe(1);
    expect(value("llmlb_output_tokens_per_second_sum", labels)).toBe(10);
    expect(value("llmlb_output_tokens_per_second_bucket", { le: "5", ...labels })).toBe(0);
    expect(value("llmlb_output_tokens_per_second_bucket", { le: "10", ...labels })).toBe(1);
  });
});

describe("OpenTelemetry's metrics", () => {
  test("are told of a stream", async () => {
    const metrics = metricsOf();
    metrics.record(served(), COUNTED);
    const { value } = await linesOf(metrics);
    const usage = (type: string) => ({ ...CHAT, gen_ai_token_type: type });
    expect(value("gen_ai_client_token_usage_sum", usage("input"))).toBe(10);
    expect(value("gen_ai_client_token_usage_sum", usage("output"))).toBe(5);
    expect(value("gen_ai_client_token_usage_bucket", { ...usage("output"), le: "4" })).toBe(0);
    expect(value("gen_ai_client_token_usage_bucket", { ...usage("output"), le: "16" })).toBe(1);
    expect(value("gen_ai_server_request_duration_seconds_sum", CHAT)).toBe(0.6);
    expect(value("gen_ai_server_time_to_first_token_seconds_sum", CHAT)).toBe(0.2);
    expect(value("gen_ai_server_time_per_output_token_seconds_sum", CHAT)).toBe(0.1);
  });

  test("have the bounds of the conventions", async () => {
    const metrics = metricsOf();
    metrics.record(served(), COUNTED);
    const { lines } = await linesOf(metrics);
    const bounds = (name: string) => [
      ...new Set(lines.filter((line) => line.name === `${name}_bucket`).map((l) => l.labels.le)),
    ];
    expect(bounds("gen_ai_client_token_usage").at(-2)).toBe("67108864");
    expect(bounds("gen_ai_server_request_duration_seconds").at(-2)).toBe("81.92");
    expect(bounds("gen_ai_server_time_to_first_token_seconds").at(-2)).toBe("10");
    expect(bounds("gen_ai_server_time_per_output_token_seconds").at(-2)).toBe("2.5");
  });

  test("count no tokens that are estimates, and no first token of a whole answer", async () => {
    const metrics = metricsOf();
    metrics.record(served({ streams: false }), ESTIMATED);
    const names = (await linesOf(metrics)).lines.map(({ name }) => name);
    expect(names).toContain("gen_ai_server_request_duration_seconds_sum");
    expect(names.filter((name) => /^gen_ai_(?:client_token|server_time)/.test(name))).toEqual([]);
  });

  test.each([
    ["chat", "chat"],
    ["responses", "chat"],
    ["anthropic_messages", "chat"],
    ["ollama_chat", "chat"],
    ["generate", "text_completion"],
    ["ollama_generate", "text_completion"],
    ["embeddings", "embeddings"],
    ["rerank", "rerank"],
    ["count_tokens", "count_tokens"],
  ] as const)("call the operation of %s %s", async (name, operation) => {
    const metrics = metricsOf();
    metrics.record(served({ route: ROUTES[name] }), NOTHING);
    const { value } = await linesOf(metrics);
    const labels = { ...CHAT, gen_ai_operation_name: operation };
    expect(value("gen_ai_server_request_duration_seconds_count", labels)).toBe(1);
  });

  test("tell errors by their type, of whoever answered", async () => {
    const metrics = metricsOf();
    const refused = recordOf();
    refused.refused(new ApiError("rate_limited", "full", { code: "queue_full" }));
    const failed = recordOf();
    failed.sent(VLLM);
    failed.answered(503, NEVER);
    failed.ended("complete");
    const left = recordOf();
    left.sent(VLLM);
    left.ended("cancelled");
    for (const record of [refused, failed, left]) metrics.record(record, NOTHING);
    const { value } = await linesOf(metrics);
    const count = (provider: string, type: string) => {
      const labels = { ...CHAT, gen_ai_provider_name: provider, error_type: type };
      return value("gen_ai_server_request_duration_seconds_count", labels);
    };
    expect(count("llmlb", "queue_full")).toBe(1);
    expect(count("vllm", "503")).toBe(1);
    expect(count("vllm", "client_closed")).toBe(1);
  });

  test("have a bounded number of labels, and lose no count", async () => {
    const metrics = metricsOf();
    for (let i = 0; i < 3000; i += 1) {
      const route = i % 2 === 0 ? ROUTES.chat : ROUTES.embeddings;
      const record = served({ route, modelId: `m${i % 150}` });
      if (i % 3 !== 0) record.sent({ ...VLLM, telemetryName: `kind ${i % 7}` });
      record.status = 400 + (i % 200);
      metrics.record(record, COUNTED);
    }
    const { lines } = await linesOf(metrics);
    const counts = lines.filter(({ name }) => name.endsWith("request_duration_seconds_count"));
    expect(counts.reduce((sum, { value }) => sum + value, 0)).toBe(3000);
    const groups = counts.map(({ labels }) =>
      Object.entries(labels)
        .flatMap(([name, one]) => (name === "error_type" ? [] : one))
        .join(),
    );
    expect(new Set(groups).size).toBeLessThanOrEqual(500 + 2 * 8);
    const most = Math.max(
      ...Map.groupBy(groups, (one) => one)
        .values()
        .map((one) => one.length),
    );
    expect(most).toBeLessThanOrEqual(31);
  });
});
