import { describe, expect, test } from "bun:test";
import { credentialOf } from "../../auth/credential.ts";
import { Principals } from "../../auth/principals.ts";
import type { HistoryBodies } from "../../config/fields/storage.ts";
import type { NewRequestRow } from "../../db/history/records.ts";
import { createLogger } from "../../lib/log.ts";
import { ApiError } from "../../wire/error.ts";
import { ROUTES } from "../../wire/route.ts";
import { Metrics } from "./metrics.ts";
import type { RecordedRequest, RequestRecord } from "./record.ts";
import { Recorder } from "./recorder.ts";

const log = createLogger({ level: "silent" });
const USAGE = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

type Begun = Partial<RecordedRequest> & { headers?: Headers; body?: Uint8Array };

/** A recorder and what it recorded. */
function recording(bodies: HistoryBodies = "redacted", record?: (row: NewRequestRow) => void) {
  const rows: NewRequestRow[] = [];
  const principals = new Principals();
  const sources = { endpoints: () => [], hasModel: () => true, active: () => 0 };
  const history = { record: record ?? ((row: NewRequestRow) => void rows.push(row)) };
  const recorder = new Recorder({ history, metrics: new Metrics({ sources }), bodies, log });
  const begin = ({
    headers = new Headers(),
    body = Buffer.from('{"model":"m"}'),
    ...more
  }: Begun = {}) =>
    recorder.begin(
      {
        ...{ requestId: "r", route: ROUTES.chat, modelId: "m", streams: false },
        principal: principals.of(credentialOf(headers), "127.0.0.1"),
        headers,
        ...more,
      },
      body,
    );
  return { recorder, rows, begin };
}

/** How an answer was sent is told by hand. */
const NEVER = new Promise<never>(() => undefined);

const upstreamOf = (id: string, name: string) => ({
  ...{ id, name, url: `http://${name}`, telemetryName: "vllm" },
});

function answer(entry: RequestRecord, text: string, status = 200): void {
  entry.sent(upstreamOf("e1", "a"));
  entry.push(Buffer.from(text));
  entry.answered(status, NEVER);
}

describe("a record", () => {
  test("tells what happened to a request", async () => {
    const { recorder, rows, begin } = recording();
    const headers = new Headers({ authorization: "Bearer sk_1" });
    const entry = begin({ headers });
    entry.waited(5);
    answer(entry, '{"error":"busy"}', 503);
    answer(entry, JSON.stringify({ usage: USAGE }));
    entry.ended("complete");
    expect(rows).toEqual([]);
    await recorder.flush();
    expect(rows).toEqual([
      expect.objectContaining({
        ...{ requestId: "r", requestType: "chat", model: "m", clientIp: "127.0.0.1" },
        ...{ endpointId: "e1", endpointName: "a", endpointUrl: "http://a" },
        ...{ streamed: false, retries: 1, succeeded: true, httpStatus: 200, error: null },
        ...{ queueMs: 5, inputTokens: 3, outputTokens: 2, tokenSource: "usage" },
        ...{ requestBody: '{"model":"m"}' },
        responseBody: JSON.stringify({ usage: USAGE }),
        apiKeyId: expect.stringMatching(/^key_[0-9a-f]{12}$/),
      }),
    ]);
  });

  test("tells of each attempt why it came to nothing, if there was more than one", async () => {
    const { recorder, rows, begin } = recording();
    const entry = begin();
    entry.sent(upstreamOf("e1", "a"));
    entry.attemptFailed("HTTP 503");
    entry.sent(upstreamOf("e2", "b"));
    entry.attemptFailed("connection_error");
    entry.sent(upstreamOf("e3", "c"));
    entry.answered(200, NEVER);
    entry.ended("complete");
    const single = begin();
    answer(single, "{}");
    single.ended("complete");
    await recorder.flush();
    const startMs = expect.any(Number);
    expect(rows.map(({ attempts }) => attempts)).toEqual([
      [
        { id: "e1", name: "a", startMs, error: "HTTP 503" },
        { id: "e2", name: "b", startMs, error: "connection_error" },
        { id: "e3", name: "c", startMs, error: null },
      ],
      null,
    ]);
  });

  test.each([
    ["OpenAI/Python 2.1.0", "OpenAI/Python"],
    ["curl/8.5.0", "curl"],
    ["ollama-js/0.6 (arm64 linux Node.js/v22)", "ollama-js"],
    ["Mozilla/5.0 (X11; Linux x86_64)", "Mozilla"],
    [`${"x".repeat(90)}/1`, "x".repeat(40)],
    ["<script>", null],
    [undefined, null],
  ])("names the program %p as %p", async (userAgent, client) => {
    const { recorder, rows, begin } = recording();
    const headers = new Headers(userAgent === undefined ? {} : { "user-agent": userAgent });
    begin({ headers }).refused(new ApiError("rate_limited", "full"));
    await recorder.flush();
    expect(rows.map((row) => row.client)).toEqual([client]);
  });

  test("of an error names it, and counts no tokens", async () => {
    const { recorder, rows, begin } = recording();
    begin().refused(new ApiError("rate_limited", "full", { code: "queue_full" }));
    begin().refused(new ApiError("client_closed", "gone"));
    begin().refused(new TypeError("bug"));
    const refused = begin();
    answer(refused, '{"error":{}}', 400);
    refused.ended("complete");
    const error = begin({ streams: true });
    answer(error, 'data: {"x":1}\n\ndata: {"error":{"message":"no memory"}}\n\n');
    error.ended("complete");
    await recorder.flush();
    const told = rows.map(({ httpStatus, error, succeeded }) => [httpStatus, error, succeeded]);
    expect(told).toEqual([
      [429, "queue_full", false],
      [null, "client_closed", false],
      [500, "internal", false],
      [400, "endpoint_error", false],
      [200, "stream_error", false],
    ]);
    expect(rows.slice(0, 4).every(({ tokenSource }) => tokenSource === null)).toBeTrue();
  });

  test("estimates the tokens that nobody counted, and says so", async () => {
    const { recorder, rows, begin } = recording();
    const delta = `data: ${JSON.stringify({ choices: [{ delta: { content: "x" } }] })}\n\n`;
    for (const outcome of ["complete", "cancelled", "failed"] as const) {
      const entry = begin({ streams: true, body: Buffer.from("x".repeat(400)) });
      answer(entry, delta.repeat(13));
      entry.ended(outcome);
    }
    const counting = begin({ route: ROUTES.count_tokens });
    answer(counting, '{"input_tokens":9}');
    counting.ended("complete");
    await recorder.flush();
    for (const { inputTokens, outputTokens, tokenSource } of rows.slice(0, 3)) {
      expect([inputTokens, outputTokens, tokenSource]).toEqual([100, 10, "estimate"]);
    }
    expect(rows[3]).toMatchObject({ inputTokens: null, tokenSource: null });
  });

  test("estimates no tokens of what is no text", async () => {
    const { recorder, rows, begin } = recording();
    for (const name of ["speech", "embeddings", "rerank"] as const) {
      const entry = begin({ route: ROUTES[name], body: Buffer.from("x".repeat(400)) });
      answer(entry, "x".repeat(9000));
      entry.ended("complete");
    }
    await recorder.flush();
    const told = rows.map((row) => [row.requestType, row.inputTokens, row.outputTokens]);
    expect(told).toEqual([
      ["speech", null, null],
      ["embeddings", 100, 0],
      ["rerank", 100, 0],
    ]);
  });

  test("of a message that was broken off does not take its beginning for the whole", async () => {
    const { recorder, rows, begin } = recording();
    const usage = { input_tokens: 50, output_tokens: 1 };
    const start = `data: ${JSON.stringify({ type: "message_start", message: { usage } })}\n\n`;
    const text = `data: ${JSON.stringify({ type: "content_block_delta" })}\n\n`;
    const entry = begin({ route: ROUTES.anthropic_messages });
    answer(entry, start + text.repeat(20));
    entry.ended("cancelled");
    await recorder.flush();
    expect(rows[0]).toMatchObject({ inputTokens: 50, outputTokens: 20, tokenSource: "estimate" });
  });

  test("holds bodies as policy says, large ones looked through bit by bit", async () => {
    const body = Buffer.from(`{"content":"secret","url":"data:a/b;base64,${"A".repeat(400_000)}"}`);
    for (const [policy, expected] of [
      ["none", null],
      ["redacted", expect.stringContaining('"<6 characters>"')],
      ["full", expect.stringContaining('{"content":"secret","url":"data:a/b;<300000 bytes')],
    ] as const) {
      const { recorder, rows, begin } = recording(policy);
      const entry = begin({ body });
      answer(entry, "{}");
      entry.ended("complete");
      await recorder.flush();
      expect(rows[0]).toMatchObject({ requestBody: expected });
      expect(rows[0]?.responseBody).toBe(policy === "none" ? null : "{}");
    }
  });
});

describe("recording", () => {
  test("reaches nobody when it fails", async () => {
    const { recorder, begin } = recording("full", () => {
      throw new Error("no room");
    });
    const entry = begin();
    answer(entry, "{}");
    entry.ended("complete");
    await recorder.flush();
    expect(recorder.dropped).toBe(1);
  });

  test("takes each request once, whatever is said after its end", async () => {
    const { recorder, rows, begin } = recording();
    const entry = begin();
    entry.ended("cancelled");
    entry.ended("complete");
    entry.refused(new Error("late"));
    await recorder.flush();
    expect(rows.map(({ error }) => error)).toEqual(["client_closed"]);
  });

  test("lets others have their turn, and drops what is too much", async () => {
    const { recorder, rows, begin } = recording("full");
    const body = Buffer.alloc(20_000, "x");
    for (let i = 0; i < 25_000; i += 1) {
      const entry = begin({ body: i < 500 ? body : Buffer.from("{}") });
      entry.ended("cancelled");
    }
    // Others see it in the middle of its work.
    const seen = new Set<number>();
    while (rows.length < 20_000) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      seen.add(rows.length);
    }
    expect(seen.size).toBeGreaterThan(10);
    expect(recorder.dropped).toBe(5000);
    await recorder.flush();
    expect(rows.length).toBe(20_000);
  });

  test("names no more than a thousand clients", async () => {
    const { recorder, rows, begin } = recording();
    for (let i = 0; i < 1500; i += 1) {
      begin({ headers: new Headers({ "x-api-key": `k${i}` }) }).ended("cancelled");
    }
    begin({ headers: new Headers({ "x-api-key": "k7" }) }).ended("cancelled");
    begin().ended("cancelled");
    await recorder.flush();
    expect(new Set(rows.map(({ apiKeyId }) => apiKeyId)).size).toBe(1002);
    expect(rows.at(-2)?.apiKeyId).toBe(rows[7]?.apiKeyId as string);
    expect(rows.at(-1)?.apiKeyId).toBeNull();
  });
});
