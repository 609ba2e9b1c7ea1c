import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { eventually, until } from "../../testkit/eventually.ts";
import { type Line, parseExposition } from "../../testkit/exposition.ts";
import { liveRows } from "../../testkit/liverows.ts";
import { fakeEndpoint } from "../../testkit/servers/endpoint.ts";

const CHAT = "/v1/chat/completions";
const USAGE = { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 };
const DELTA = `data: ${JSON.stringify({ choices: [{ delta: { content: "tok" } }] })}\n\n`;
const LAST = `data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`;
const EVENTS = { headers: { "content-type": "text/event-stream" } };

type Row = Record<string, unknown>;

/** A data folder with what was written to its history. */
class History implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), "llmlb-record-"));

  /** The newest row, once there are `count` rows. */
  async row(count = 1): Promise<Row> {
    const rows = await this.rows(count);
    return rows.at(-1) ?? {};
  }

  async rows(count: number): Promise<Row[]> {
    return await eventually(() => {
      const rows = this.read("select * from requests");
      return rows.length >= count ? rows : undefined;
    });
  }

  read(sql: string): Row[] {
    return liveRows<Row>(join(this.home, "history.db"), sql);
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

async function metricsOf(front: FakeBalancer): Promise<Line[]> {
  const response = await fetch(`${front.url}/metrics`);
  expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
  return parseExposition(await response.text());
}

/** Settles when a metric has a value. */
async function untilMetric(front: FakeBalancer, name: string, labels: Row): Promise<number> {
  return await eventually(async () => {
    const lines = await metricsOf(front);
    return lines.find((one) => one.name === name && Bun.deepMatch(labels, one.labels))?.value;
  });
}

/** Sends some events, and then waits for `how`: ends the stream, or breaks it off. */
function halfStream(how: Promise<"end" | "break">): Response {
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(DELTA.repeat(6));
      // Without an argument, because Bun prints what it is given.
      if ((await how) === "break") return controller.error();
      controller.enqueue(LAST);
      controller.close();
    },
  });
  return new Response(body, EVENTS);
}

describe("a request through the balancer", () => {
  test("is in the history, the statistics and the metrics", async () => {
    using history = new History();
    using a = fakeEndpoint(["m"], () => Response.json({ choices: [], usage: USAGE }));
    await using front = await fakeBalancer({ a: a.url }, { home: history.home });
    const startedAt = Date.now();
    const body = { model: "m", messages: [{ role: "user", content: "my secret" }] };
    const headers = { authorization: "Bearer sk_1", "x-request-id": "r-1" };
    await (await front.post(CHAT, body, headers)).json();
    const row = await history.row();
    expect(row).toMatchObject({
      ...{ request_id: "r-1", request_type: "chat", model: "m", client_ip: "127.0.0.1" },
      ...{ client: "Bun", attempts: null, user_id: null },
      ...{ endpoint_name: "a", endpoint_url: a.url, streamed: 0, retries: 0, succeeded: 1 },
      ...{ http_status: 200, error: null, queue_ms: null, token_source: "usage" },
      ...{ input_tokens: 11, output_tokens: 3 },
      request_body: expect.stringContaining('"content":"<9 characters>"'),
      response_body: JSON.stringify({ choices: [], usage: USAGE }),
    });
    expect(row.started_at).toBeGreaterThanOrEqual(startedAt);
    expect(row.duration_ms).toBeGreaterThanOrEqual(row.first_byte_ms as number);
    expect(JSON.stringify(history.read("select * from requests"))).not.toContain("sk_1");
    expect(history.read("select * from usage_days")).toEqual([
      expect.objectContaining({ model: "m", requests: 1, succeeded: 1, input_tokens: 11 }),
    ]);
    const labels = { model: "m", endpoint: "a" };
    expect(await untilMetric(front, "llmlb_requests_total", labels)).toBe(1);
    expect(await untilMetric(front, "llmlb_output_tokens_total", labels)).toBe(3);
    expect(await untilMetric(front, "llmlb_request_seconds_count", labels)).toBe(1);
    expect(await untilMetric(front, "llmlb_endpoint_active", { endpoint: "a" })).toBe(0);
  });

  test("that streams has the usage of its last event", async () => {
    using history = new History();
    using a = fakeEndpoint(["m"], () => halfStream(Promise.resolve("end")));
    const given = { home: history.home, historyBodies: "full" } as const;
    await using front = await fakeBalancer({ a: a.url }, given);
    const asked = { model: "m", stream: true, stream_options: { include_usage: true } };
    const text = await (await front.post(CHAT, asked)).text();
    const delta = DELTA.replace("}]}", '}],"usage":null}');
    expect(text).toBe(delta.repeat(6) + LAST);
    expect(await history.row()).toMatchObject({
      ...{ streamed: 1, succeeded: 1, input_tokens: 11, output_tokens: 3, token_source: "usage" },
      // What the endpoint said; clients get usage as they asked for it.
      response_body: DELTA.repeat(6) + LAST,
    });
  });

  test("that an endpoint breaks off is a failure, with an estimate of its tokens", async () => {
    using history = new History();
    const broken = Promise.withResolvers<"break">();
    using a = fakeEndpoint(["m"], () => halfStream(broken.promise));
    await using front = await fakeBalancer({ a: a.url }, { home: history.home });
    const reader = (await front.post(CHAT, { model: "m", stream: true })).body?.getReader();
    await reader?.read();
    broken.resolve("break");
    while (reader !== undefined && !(await reader.read()).done);
    expect(await history.row()).toMatchObject({
      ...{ streamed: 1, succeeded: 0, http_status: 200, error: "stream_broke" },
      ...{ output_tokens: 3, token_source: "estimate" },
    });
    expect(await untilMetric(front, "llmlb_requests_total", { status: "broken" })).toBe(1);
  });

  test("whose client leaves is cancelled, before and after the first byte", async () => {
    using history = new History();
    const never = new Promise<never>(() => undefined);
    let streams = true;
    const second = Promise.withResolvers<void>();
    using a = fakeEndpoint(["m"], () => {
      if (streams) return halfStream(never);
      second.resolve();
      return never;
    });
    await using front = await fakeBalancer({ a: a.url }, { home: history.home });
    const leave = new AbortController();
    const post = () =>
      fetch(front.url + CHAT, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "m", stream: true }),
        signal: leave.signal,
      });
    const reader = (await post()).body?.getReader();
    await reader?.read();
    streams = false;
    const waiting = post().catch(() => undefined);
    await until(() => a.requests.length === 2, 15_000);
    leave.abort();
    await waiting;
    const rows = await history.rows(2);
    expect(rows.map(({ error }) => error)).toEqual(["client_closed", "client_closed"]);
    expect(rows.map(({ http_status }) => http_status).sort()).toEqual([200, null]);
    expect(await untilMetric(front, "llmlb_requests_total", { status: "cancelled" })).toBe(2);
  });

  test("that no endpoint could take, or a second one did, says so", async () => {
    using history = new History();
    using a = fakeEndpoint(["m"], () => new Response("busy", { status: 503 }));
    using b = fakeEndpoint(["m", "b"], () => Response.json({ usage: USAGE }));
    const given = { home: history.home, strategy: "round-robin" } as const;
    await using front = await fakeBalancer({ a: a.url, b: b.url }, given);
    while (a.requests.length === 0) await front.post(CHAT, { model: "m" });
    const { retries, attempts } = (await history.rows(b.requests.length)).at(-1) ?? {};
    expect(retries).toBe(1);
    expect(JSON.parse(String(attempts))).toMatchObject([
      { name: "a", error: "HTTP 503" },
      { name: "b", error: null },
    ]);
    const before = b.requests.length;
    await front.post(CHAT, { model: "nope" });
    await front.post(CHAT, "{");
    expect(await history.row(before + 1)).toMatchObject({
      ...{ model: "nope", endpoint_id: null, http_status: 404, error: "model_not_found" },
      ...{ token_source: null },
    });
    expect(await untilMetric(front, "llmlb_requests_unreadable_total", {})).toBe(1);
  });
});

describe("the history", () => {
  test("that is locked slows no request, and is written later", async () => {
    using history = new History();
    using a = fakeEndpoint(["m"], () => Response.json({ usage: USAGE }));
    await using front = await fakeBalancer({ a: a.url }, { home: history.home });
    const lock = new Database(join(history.home, "history.db"));
    lock.run("begin exclusive");
    const times: number[] = [];
    const endMs = performance.now() + 1500;
    while (performance.now() < endMs) {
      const startMs = performance.now();
      expect((await front.post(CHAT, { model: "m" })).status).toBe(200);
      times.push(performance.now() - startMs);
      await Bun.sleep(5);
    }
    lock.run("rollback");
    lock.close();
    expect(times.sort((x, y) => x - y)[Math.floor(times.length * 0.95)]).toBeLessThan(100);
    expect((await history.rows(times.length)).length).toBe(times.length);
  });

  test("keeps no bodies where policy says so", async () => {
    using history = new History();
    using a = fakeEndpoint(["m"], () => Response.json({ usage: USAGE }));
    const given = { home: history.home, historyBodies: "none" } as const;
    await using front = await fakeBalancer({ a: a.url }, given);
    await front.post(CHAT, { model: "m" });
    const kept = { request_body: null, response_body: null, input_tokens: 11 };
    expect(await history.row()).toMatchObject(kept);
  });
});

test("a thousand made-up models make no labels", async () => {
  using history = new History();
  using a = fakeEndpoint(["m"], () => Response.json({ usage: USAGE }));
  await using front = await fakeBalancer({ a: a.url }, { home: history.home });
  const before = (await metricsOf(front)).length;
  for (let i = 0; i < 20; i += 1) {
    const each = (_: unknown, k: number) => front.post(CHAT, { model: `made-up-${i}-${k}` });
    await Promise.all(Array.from({ length: 50 }, each));
  }
  await history.rows(1000);
  const lines = await metricsOf(front);
  expect(lines.length).toBeLessThan(before + 30);
  expect(lines.find(({ labels }) => labels.status === "4xx")?.value).toBe(1000);
  expect(history.read("select sum(requests) as n, count(*) as rows from usage_days")).toEqual([
    { n: 1000, rows: 1 },
  ]);
});
