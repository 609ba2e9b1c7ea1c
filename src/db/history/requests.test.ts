import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { makeRequest, makeStateHome, type StateHome } from "../../testkit/state.ts";
import type { State } from "../database.ts";
import type { NewRequestRow } from "./records.ts";

let home: StateHome;
let state: State;

beforeEach(async () => {
  home = makeStateHome();
  state = await home.open();
});
afterEach(() => home.remove());

async function record(...requests: Partial<NewRequestRow>[]): Promise<void> {
  for (const request of requests) state.requests.record(makeRequest(request));
  expect(await state.writes.flush()).toBe(true);
}

describe("the request history", () => {
  test("keeps every field", async () => {
    const request = {
      ...{ id: "id 1", requestId: "req", requestType: "responses", model: "m", retries: 2 },
      ...{ endpointId: "e", endpointName: "E", endpointUrl: "http://e", apiKeyId: "k" },
      ...{ clientIp: "::1", startedAt: 1000, completedAt: 1200, streamed: true },
      ...{ succeeded: false, httpStatus: 502, error: "boom", queueMs: 1.5, firstByteMs: 20 },
      ...{ durationMs: 200, inputTokens: 5, outputTokens: 7, cachedTokens: 3 },
      tokenSource: "tokenizer" as const,
    };
    await record({ ...request, requestBody: "{}", responseBody: "ü\u0000" });
    const { records, total } = await state.requests.page({}, { limit: 10 });
    expect(records).toEqual([request]);
    expect(total).toBe(1);
    const whole = { ...request, requestBody: "{}", responseBody: "ü\u0000" };
    expect(await state.requests.get("id 1")).toEqual(whole);
    expect(await state.requests.get("none")).toBeUndefined();
  });

  test("is filtered, newest first, page by page", async () => {
    const all = Array.from({ length: 25 }, (_, i) => ({
      ...{ id: `${i}`, startedAt: 1000 + Math.floor(i / 2), succeeded: i % 5 !== 0 },
      ...{ model: i % 2 === 0 ? "even" : "odd", clientIp: `10.0.0.${i % 3}` },
      ...{ endpointId: i < 20 ? "e" : null, apiKeyId: i % 4 === 0 ? "k" : null },
    }));
    await record(...all);
    const page = async (filter = {}, limit = 100, offset = 0) => {
      const { records, total } = await state.requests.page(filter, { limit, offset });
      return [records.map(({ id }) => Number(id)), total];
    };
    const newest = Array.from({ length: 25 }, (_, i) => 24 - i);
    expect(await page({}, 10, 10)).toEqual([newest.slice(10, 20), 25]);
    const kept = (test: (i: number) => boolean) => {
      const list = newest.filter(test);
      return [list, list.length];
    };
    expect(await page({ succeeded: false })).toEqual(kept((i) => i % 5 === 0));
    expect(await page({ model: "odd" })).toEqual(kept((i) => i % 2 === 1));
    expect(await page({ endpointId: "e", apiKeyId: "k" })).toEqual(
      kept((i) => i < 20 && i % 4 === 0),
    );
    expect(await page({ clientIp: "10.0.0.1" })).toEqual(kept((i) => i % 3 === 1));
    expect(await page({ from: 1002, until: 1004 })).toEqual(kept((i) => i >= 4 && i < 8));
    expect(await page({ requestType: "none" })).toEqual([[], 0]);
  });

  test("is read as a whole without holding it in memory", async () => {
    const all = Array.from({ length: 2500 }, (_, i) => ({ id: `${i}`, startedAt: 9, model: "m" }));
    await record(...all);
    const seen: string[] = [];
    for await (const { id } of state.requests.each({ model: "m" })) {
      if (seen.push(id) === 1) await record({ id: "later", startedAt: 9 });
    }
    expect(seen).toEqual(all.map(({ id }) => id).reverse());
  });

  test("does not mind the same row twice", async () => {
    await record({ id: "a", requestBody: "x" });
    await record({ id: "a", requestBody: "y" });
    expect((await state.requests.get("a"))?.requestBody).toBe("x");
  });

  test("tells how many requests there were in each minute", async () => {
    const at = [60_000, 60_001, 119_999, 120_000, 300_000];
    await record(...at.map((startedAt, i) => ({ startedAt, succeeded: i !== 1 })));
    expect(await state.requests.perMinute(0, 300_000)).toEqual([
      { minute: 60_000, succeeded: 2, failed: 1 },
      { minute: 120_000, succeeded: 1, failed: 0 },
    ]);
  });

  test("forgets what is old, with its bodies, and gives the room back", async () => {
    const bodies = { requestBody: "x".repeat(5000), responseBody: "y".repeat(5000) };
    const all = Array.from({ length: 1200 }, (_, i) => ({ startedAt: i, ...bodies }));
    await record(...all);
    expect(await state.requests.prune(1100)).toBe(1100);
    expect((await state.requests.page({}, { limit: 1 })).total).toBe(100);
    expect(await state.requests.prune(1100)).toBe(0);
    const db = new Database(join(home.path, "history.db"));
    const bodied = "SELECT count(*) AS n FROM requests WHERE request_body IS NOT NULL";
    expect(db.query(bodied).get()).toEqual({ n: 100 });
    const { page_count: pages } = db.query("PRAGMA page_count").get() as { page_count: number };
    expect(pages * 4096).toBeLessThan(4_000_000);
    db.close();
  });

  test("keeps to a size: the oldest are deleted, no more than needed", async () => {
    const requests = Array.from({ length: 2000 }, (_, i) => ({
      ...{ id: `id ${i}`, requestId: `req ${i}`, startedAt: 1000 + i },
      requestBody: "x".repeat(1000),
    }));
    await record(...requests);
    expect(await state.requests.pruneToSize(2 ** 30)).toBe(0);
    const bytesMax = 2 ** 20;
    const deleted = await state.requests.pruneToSize(bytesMax);
    const { records, total } = await state.requests.page({}, { limit: 1 });
    expect(total).toBe(2000 - deleted);
    expect(records[0]?.id).toBe("id 1999");
    expect(deleted).toBeGreaterThan(1000);
    expect(deleted).toBeLessThan(1900);
    expect(await state.requests.pruneToSize(bytesMax)).toBe(0);
  });

  test("uses an index for every filter", async () => {
    const db = new Database(join(home.path, "history.db"));
    const order = "ORDER BY started_at DESC, seq DESC LIMIT 10";
    for (const filter of ["1", "model = ?", "endpoint_id = ?", "api_key_id = ?", "client_ip = ?"]) {
      const plan = db.query(`EXPLAIN QUERY PLAN SELECT * FROM requests WHERE ${filter} ${order}`);
      const text = JSON.stringify(plan.all());
      expect(text).toContain("USING INDEX");
      expect(text).not.toContain("TEMP B-TREE");
    }
    db.close();
  });
});
