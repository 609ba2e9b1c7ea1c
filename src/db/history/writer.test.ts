import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MOUNTS, mountDisk } from "../../testkit/memorydisk.ts";
import {
  createEndpoint,
  makeRequest,
  makeStateHome,
  type StateHome,
  silent,
} from "../../testkit/state.ts";
import type { State } from "../database.ts";
import { openState } from "../database.ts";

let home: StateHome;

beforeEach(() => {
  home = makeStateHome();
});
afterEach(() => home.remove());

const recorded = (state: State) => state.requests.count({});

test("what was recorded more than a second before kill -9 is there afterwards", async () => {
  const script = join(home.path, "child.ts");
  const database = JSON.stringify(join(import.meta.dir, "../database.ts"));
  const testkit = JSON.stringify(join(import.meta.dir, "../../testkit/state.ts"));
  writeFileSync(
    script,
    `import { openState } from ${database};
     import { makeRequest, silent } from ${testkit};
     const state = await openState({ home: process.argv[2] ?? "", log: silent });
     const made = await state.endpoints.create({ name: "a", baseUrl: "http://a" });
     const id = "endpoint" in made ? made.endpoint.id : "";
     let count = 0;
     setInterval(() => {
       for (let i = 0; i < 5; i += 1) {
         count += 1;
         state.requests.record(makeRequest({ id: String(count), endpointId: id }));
         state.endpoints.saveLatency(id, { ms: count, measuredAt: count });
       }
       console.log(count + " " + Date.now());
     }, 5);`,
  );
  const child = Bun.spawn([process.execPath, script, home.path], { stdout: "pipe" });
  const output = new Response(child.stdout).text();
  await Bun.sleep(2500);
  child.kill("SIGKILL");
  await child.exited;
  const killedAt = Date.now();
  const lines = (await output).trim().split("\n");
  const old = lines
    .map((line) => line.split(" ").map(Number))
    .filter(([, at]) => {
      return at !== undefined && at < killedAt - 1000;
    });
  const [count = 0] = old.at(-1) ?? [];
  expect(count).toBeGreaterThan(100);
  const state = await home.open();
  const kept = await recorded(state);
  expect(kept).toBeGreaterThanOrEqual(count);
  expect((await state.usage.totals()).requests).toBe(kept);
  const [endpoint] = await state.endpoints.list();
  expect(endpoint?.inferenceLatencyMs).toBeGreaterThanOrEqual(count);
});

test("a locked file delays nobody; what was recorded is written once it is free", async () => {
  const state = await home.open();
  const other = new Database(join(home.path, "history.db"));
  other.run("BEGIN IMMEDIATE");
  let longestMs = 0;
  for (let i = 0; i < 50; i += 1) {
    const startedAt = performance.now();
    state.requests.record(makeRequest({ id: `${i}` }));
    longestMs = Math.max(longestMs, performance.now() - startedAt);
    await Bun.sleep(10);
  }
  expect(longestMs).toBeLessThan(50);
  expect(await state.writes.flush()).toBe(false);
  // Reading goes on as well.
  expect(await recorded(state)).toBe(0);
  expect(state.writes.pending).toBe(50);
  other.run("ROLLBACK");
  other.close();
  expect(await state.writes.flush()).toBe(true);
  expect(await recorded(state)).toBe(50);
  expect((await state.usage.totals()).requests).toBe(50);
  expect(state.writes.dropped).toBe(0);
});

/** Elsewhere the limit of the database itself plays the full disk. */
test.skipIf(!MOUNTS)("a full disk fails nobody; there is room again, it goes on", async () => {
  using disk = mountDisk("size=3m");
  const state = await openState({ home: disk.path, log: silent });
  const { bavail, bsize } = statfsSync(disk.path);
  const filler = join(disk.path, "filler");
  writeFileSync(filler, new Uint8Array(Math.max(0, bavail * bsize - 200_000)));
  const body = "x".repeat(20_000);
  for (let i = 0; i < 60; i += 1) {
    state.requests.record(makeRequest({ id: `${i}`, requestBody: body }));
  }
  expect(await state.writes.flush()).toBe(false);
  expect(await recorded(state)).toBe(0);
  rmSync(filler);
  expect(await state.writes.flush()).toBe(true);
  expect(await recorded(state)).toBe(60);
  expect((await state.usage.totals()).requests).toBe(60);
  expect(state.writes.dropped).toBe(0);
  await state.close();
});

test("closing writes what waits, and writing again after that is no error", async () => {
  const state = await home.open();
  for (let i = 0; i < 3; i += 1) state.requests.record(makeRequest());
  await state.close();
  state.requests.record(makeRequest());
  expect(await recorded(await home.open())).toBe(3);
});

test("a client that left is no failure of the endpoint", async () => {
  const state = await home.open();
  const { id } = await createEndpoint(state, { name: "a", baseUrl: "http://a" });
  const cancelled = { endpointId: id, succeeded: false, error: "client_closed" };
  state.requests.record(makeRequest(cancelled));
  state.requests.record(makeRequest({ ...cancelled, error: "stream_broke" }));
  await state.writes.flush();
  expect(await state.usage.totals()).toMatchObject({ requests: 2, succeeded: 0, failed: 1 });
  expect(await state.endpoints.get(id)).toMatchObject({ totalRequests: 1, failedRequests: 1 });
});
