import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { CompiledQuery, sql } from "kysely";
import { makeRequest, makeStateHome, type StateHome } from "../../testkit/state.ts";
import type { State } from "../database.ts";
import { openReader } from "../engine/open.ts";
import type { NewRequestRow } from "./records.ts";
import { conditionOf, leadOf, type RequestFilter } from "./requestfilter.ts";
import type { PagePlace } from "./requests.ts";
import type { HistorySchema } from "./schema.ts";

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
      ...{
        userId: "u",
        client: "curl",
        costMicros: 1250,
        clientIp: "::1",
        startedAt: 1000,
        completedAt: 1200,
        streamed: true,
      },
      ...{ succeeded: false, httpStatus: 502, error: "boom", queueMs: 1.5, firstByteMs: 20 },
      ...{ durationMs: 200, inputTokens: 5, outputTokens: 7, cachedTokens: 3 },
      tokenSource: "tokenizer" as const,
    };
    const attempts = [
      { id: "d", name: "D", startMs: 1, error: "HTTP 503" },
      { id: "e", name: "E", startMs: 7.25, error: null },
    ];
    const whole = { ...request, attempts, requestBody: "{}", responseBody: "ü\u0000" };
    await record(whole);
    expect(await state.requests.page({}, { limit: 10 })).toEqual({
      records: [request],
      next: undefined,
    });
    expect(await state.requests.get("id 1")).toEqual(whole);
    expect(await state.requests.get("id 1", { userId: "u" })).toEqual(whole);
    expect(await state.requests.get("id 1", { userId: "v" })).toBeUndefined();
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
      const { records } = await state.requests.page(filter, { limit, offset });
      return [records.map(({ id }) => Number(id)), await state.requests.count(filter)];
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
    expect(await page({ endpointId: ["e", "f"], succeeded: true })).toEqual(
      kept((i) => i < 20 && i % 5 !== 0),
    );
  });

  test("takes what conditions say, alone and in pairs, of older rows as well", async () => {
    const values = { model: ["a", "b"], endpointId: ["e", "f"], apiKeyId: ["k", "l"] };
    const more = { userId: ["u", "v"], clientIp: ["1", "2"], client: ["curl", "go"] };
    const all = Array.from({ length: 96 }, (_, i) => ({
      ...{ id: `${i}`, startedAt: i, requestId: `r${i % 7}` },
      ...{ model: values.model[i % 2] ?? "", endpointId: values.endpointId[(i >> 1) % 2] ?? null },
      ...{ apiKeyId: values.apiKeyId[(i >> 2) % 2] ?? null, userId: more.userId[i % 3] ?? null },
      ...{ clientIp: more.clientIp[i % 5] ?? null, client: more.client[(i >> 3) % 2] ?? null },
      ...{ requestType: i % 11 < 8 ? "chat" : "embeddings", succeeded: i % 4 !== 0 },
      httpStatus: i % 4 === 0 ? 502 : 200,
    }));
    await record(...all);
    const db = new Database(join(home.path, "history.db"));
    db.run("UPDATE requests SET facets = NULL WHERE seq % 3 = 0");
    db.close();
    const filters: Partial<NewRequestRow>[] = [
      ...[{ model: "a" }, { endpointId: "f" }, { apiKeyId: "k" }, { userId: "v" }],
      ...[{ clientIp: "1" }, { client: "go" }, { requestType: "embeddings" }, { requestId: "r3" }],
      ...[{ httpStatus: 502 }, { httpStatus: 200 }, { succeeded: false }, { succeeded: true }],
    ];
    for (const left of filters) {
      for (const right of filters) {
        const filter = { ...left, ...right };
        const fits = (row: object) =>
          Object.entries(filter).every(([name, value]) => row[name as keyof object] === value);
        const wanted = all
          .filter(fits)
          .map(({ id }) => id)
          .reverse();
        const { records } = await state.requests.page(filter as RequestFilter, { limit: 100 });
        expect([filter, records.map(({ id }) => id)]).toEqual([filter, wanted]);
      }
    }
  });

  test("loses and doubles nothing from page to page while requests come in", async () => {
    const all = Array.from({ length: 100 }, (_, i) => ({ id: `${i}`, startedAt: i >> 2 }));
    await record(...all);
    const seen: string[] = [];
    let after: PagePlace | undefined;
    do {
      const { records, next } = await state.requests.page(
        {},
        { limit: 7, ...(after === undefined ? {} : { after }) },
      );
      seen.push(...records.map(({ id }) => id));
      after = next;
      await record({ id: `new ${seen.length}`, startedAt: 1000 });
    } while (after !== undefined);
    expect(seen).toEqual(all.map(({ id }) => id).reverse());
  });

  test("tells what was recorded since, in that order", async () => {
    expect(await state.requests.since({}, 0, 10)).toEqual({ records: [], seq: 0 });
    await record({ id: "a", startedAt: 5 }, { id: "b", startedAt: 4, model: "m" });
    const ids = async (seq: number, limit = 10, filter: RequestFilter = {}) => {
      const { records, seq: next } = await state.requests.since(filter, seq, limit);
      return [records.map(({ id }) => id), next];
    };
    expect(await ids(0)).toEqual([["a", "b"], 2]);
    expect(await ids(0, 1)).toEqual([["a"], 1]);
    expect(await ids(1, 1)).toEqual([["b"], 2]);
    expect(await ids(0, 10, { model: "m", from: 4, until: 5 })).toEqual([["b"], 2]);
    await record({ id: "c", startedAt: 1 });
    expect(await ids(2)).toEqual([["c"], 3]);
    expect(await ids(3, 10, { model: "m" })).toEqual([[], 3]);
    expect(await state.requests.latest()).toBe(3);
  });

  test("is read as a whole without holding it in memory", async () => {
    const all = Array.from({ length: 2500 }, (_, i) => ({ id: `${i}`, startedAt: 9, model: "m" }));
    await record(...all);
    const seen: string[] = [];
    for await (const page of state.requests.pages({ model: "m" })) {
      seen.push(...page.map(({ id }) => id));
      await record({ id: `later ${seen.length}`, startedAt: 9, model: "other" });
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
    expect(await state.requests.perMinute({ from: 0, until: 300_000 })).toEqual([
      { minute: 60_000, succeeded: 2, failed: 1 },
      { minute: 120_000, succeeded: 1, failed: 0 },
    ]);
  });

  test("forgets what is old, with its bodies, and gives the room back", async () => {
    const bodies = { requestBody: "x".repeat(5000), responseBody: "y".repeat(5000) };
    const all = Array.from({ length: 1200 }, (_, i) => ({ startedAt: i, ...bodies }));
    await record(...all);
    expect(await state.requests.prune(1100)).toBe(1100);
    expect(await state.requests.count({})).toBe(100);
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
    const { records } = await state.requests.page({}, { limit: 1 });
    expect(await state.requests.count({})).toBe(2000 - deleted);
    expect(records[0]?.id).toBe("id 1999");
    expect(deleted).toBeGreaterThan(1000);
    expect(deleted).toBeLessThan(1900);
    expect(await state.requests.pruneToSize(bytesMax)).toBe(0);
  });

  test("never reads the whole table for a page", async () => {
    const filters: RequestFilter[] = [
      ...[{}, { model: "a" }, { endpointId: "f" }, { apiKeyId: "k" }, { userId: "v" }],
      ...[{ clientIp: "1" }, { client: "go" }, { requestType: "embeddings" }, { requestId: "r" }],
      ...[{ httpStatus: 502 }, { httpStatus: 200 }, { succeeded: false }, { succeeded: true }],
      ...[{ model: "a", endpointId: "f" }, { succeeded: true, httpStatus: 200 }, { from: 5 }],
    ];
    const reader = openReader<HistorySchema>(join(home.path, "history.db"), 250);
    for (const filter of filters) {
      const lead = await leadOf(reader.kysely, filter);
      const query = reader.kysely
        .selectFrom("requests")
        .selectAll()
        .where((row) => conditionOf(row, filter, lead));
      const newest = query.orderBy("started_at", "desc").orderBy("seq", "desc").limit(sql.lit(10));
      const { sql: text, parameters } = newest.compile();
      const plan = CompiledQuery.raw(`EXPLAIN QUERY PLAN ${text}`, [...parameters]);
      const steps = JSON.stringify((await reader.kysely.executeQuery(plan)).rows);
      expect([filter, steps]).toEqual([filter, expect.stringContaining("USING INDEX requests_")]);
      if (filter.requestId !== undefined) continue;
      // Requests of the same millisecond may be sorted, and no others.
      expect(steps.replace("FOR LAST TERM", "")).not.toContain("B-TREE FOR ORDER BY");
    }
    await reader.close();
  });
});
