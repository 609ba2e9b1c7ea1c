import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AuditStore, openAuditStore } from "../../db/audit/file.ts";
import type { AuditEvent } from "../../db/audit/record.ts";
import { openSecretKey } from "../../db/state/secretkey.ts";
import { temporaryHome } from "../../testkit/command.ts";
import { silent } from "../../testkit/state.ts";
import { AuditLog } from "./auditlog.ts";
import { chained, sealOf } from "./chain.ts";
import { HeadFile } from "./headfile.ts";
import { verifyOffline } from "./offline.ts";

/** What is done to the files of a stopped llmlb, and what verification says of it. */

let home: ReturnType<typeof temporaryHome>;
beforeEach(() => {
  home = temporaryHome();
});
afterEach(() => home[Symbol.dispose]());

function event(n: number): AuditEvent {
  return {
    ...{ time: 1_700_000_000_000 + n, action: "change", route: "PATCH /api/keys/:id", count: 1 },
    ...{ path: `/api/keys/${n}`, subject: "ci", details: '{"changed":["name"]}', status: 200 },
    ...{ actorKind: "session", userId: "u1", userName: "ada", keyId: "k1", keyName: "laptop" },
    ...{ address: "10.0.0.1", requestId: `req_${n}` },
  };
}

async function withLog(work: (log: AuditLog, store: AuditStore) => Promise<void>): Promise<void> {
  const store = openAuditStore({ home: home.path, secret: openSecretKey(home.path), log: silent });
  const { key, table } = store;
  const headFile = new HeadFile(home.path, key);
  const log = new AuditLog({ table, key, headFile, log: silent });
  await work(log, store);
  await log.close();
  await table?.close();
}

/** Writes records 1 to 10. */
const write = (from = 1, to = 10) =>
  withLog(async (log) => {
    for (let n = from; n <= to; n += 1) await log.record(event(n));
  });

function sql(...statements: string[]): void {
  const db = new Database(join(home.path, "audit.db"));
  for (const statement of statements) db.run(statement);
  db.close();
}

const headPath = () => join(home.path, "audit.head");

async function found(): Promise<{ seq: number | undefined; reason: string } | "whole"> {
  const { fault } = await verifyOffline(home.path);
  return fault === undefined ? "whole" : { ...fault };
}

test("what nobody touched is whole, over restarts", async () => {
  await write();
  await write(11, 12);
  expect(await verifyOffline(home.path)).toMatchObject({
    ...{ fault: undefined, checked: 12, prunedUpTo: 0, last: { seq: 12 } },
  });
});

const CHANGES = [
  ...["time = time + 1", "action = 'login'", "route = 'GET /'", "path = '/'", "subject = 'x'"],
  ...["details = '{}'", "details = NULL", "actor_kind = 'key'", "user_id = 'u2'", "count = 2"],
  ...["user_name = 'eve'", "key_id = 'k2'", "key_name = ''", "address = '10.0.0.2'"],
  ...["status = 403", "request_id = NULL", "mac = 'x'", "user_id = user_name, user_name = user_id"],
];

test.each(CHANGES)("a record that is edited is found: %s", async (change) => {
  await write();
  sql(`UPDATE audit_records SET ${change} WHERE seq = 5`);
  expect(await found()).toEqual({ seq: 5, reason: expect.stringContaining("Record 5 does not") });
});

test("records that are deleted in the middle or at the beginning are found", async () => {
  await write();
  sql("DELETE FROM audit_records WHERE seq IN (4, 5)");
  expect(await found()).toEqual({ seq: 4, reason: "Records 4 to 5 are missing." });
  sql("DELETE FROM audit_records WHERE seq < 4");
  expect(await found()).toEqual({ seq: 1, reason: "Records 1 to 5 are missing." });
});

test("numbers that close the gap again do not help", async () => {
  await write();
  sql("DELETE FROM audit_records WHERE seq = 4");
  for (let n = 5; n <= 10; n += 1) sql(`UPDATE audit_records SET seq = ${n - 1} WHERE seq = ${n}`);
  expect(await found()).toMatchObject({ seq: 4 });
});

test("two records that changed places are found", async () => {
  await write();
  sql(
    "UPDATE audit_records SET seq = 100 WHERE seq = 3",
    "UPDATE audit_records SET seq = 3 WHERE seq = 7",
    "UPDATE audit_records SET seq = 7 WHERE seq = 100",
  );
  expect(await found()).toMatchObject({ seq: 3 });
});

test("records that are cut off at the end are found, all of them as well", async () => {
  await write();
  sql("DELETE FROM audit_records WHERE seq > 8");
  expect(await found()).toEqual({ seq: 9, reason: "Records 9 to 10 are missing at the end." });
  sql("DELETE FROM audit_records");
  expect(await found()).toEqual({ seq: 1, reason: "Records 1 to 10 are missing at the end." });
});

test("what was cut off stays found after llmlb went on", async () => {
  await write();
  sql("DELETE FROM audit_records WHERE seq > 8");
  await write(11, 12);
  expect(await found()).toEqual({ seq: 9, reason: "Records 9 to 10 are missing." });
});

test("the file of the head can be neither removed nor made up", async () => {
  await write();
  const head = readFileSync(headPath(), "utf8");
  sql("DELETE FROM audit_records WHERE seq > 8");
  rmSync(headPath());
  expect(await found()).toMatchObject({ reason: expect.stringContaining("audit.head is missing") });
  writeFileSync(headPath(), head.replace('"seq":10', '"seq":8'));
  expect(await found()).toMatchObject({
    reason: expect.stringContaining("audit.head was changed"),
  });
});

test("llmlb that goes on without the file tells so, for good", async () => {
  await write();
  rmSync(headPath());
  await write(13, 13);
  expect(await found()).toEqual({ seq: 11, reason: "Record 11 is missing." });
  await withLog(async (_, { table }) => {
    const told = await table?.record(12);
    expect(told).toMatchObject({ action: "system", subject: "the log was not whole at start" });
    expect(told?.details).toContain("audit.head is missing");
  });
});

test("an inserted record is found: in between, at the end, with the MAC of another", async () => {
  await write();
  const copy = (as: string, of: number) =>
    sql(
      `INSERT INTO audit_records SELECT ${as}, time, action, route, path, subject, details,
        actor_kind, user_id, user_name, key_id, key_name, address, status, request_id, count, mac
        FROM audit_records WHERE seq = ${of}`,
    );
  copy("11", 10);
  expect(await found()).toMatchObject({ seq: 11 });
  sql("DELETE FROM audit_records WHERE seq = 11", "DELETE FROM audit_records WHERE seq = 5");
  copy("5", 6);
  expect(await found()).toMatchObject({ seq: 5 });
});

test("a record that somebody puts in its way does not keep llmlb from writing", async () => {
  await write();
  await withLog(async (log) => {
    await log.record(event(11));
    sql("UPDATE audit_records SET seq = 12 WHERE seq = 2");
    await log.record(event(12));
    const { fault } = await log.verify();
    expect(fault).toMatchObject({ seq: 2 });
  });
  await withLog(async (_, { table }) => {
    expect(await table?.record(12)).toMatchObject({ action: "system" });
    expect(await table?.record(13)).toMatchObject({ requestId: "req_12" });
  });
});

test("a chain that is made anew with another key is found", async () => {
  await write();
  const forged = new Uint8Array(32).fill(7);
  await withLog(async (_, { table }) => {
    await table?.removeAfter({ seq: 0, mac: "" });
    let before = { seq: 0, mac: "" };
    for (let n = 1; n <= 9; n += 1) {
      const record = chained(forged, before, event(n));
      await table?.append([record], []);
      before = record;
    }
  });
  expect(await found()).toMatchObject({ seq: 1 });
  const place = { seq: 9, mac: "x", time: 1 };
  writeFileSync(headPath(), JSON.stringify({ ...place, seal: sealOf(forged, "head", place) }));
  expect(await found()).toMatchObject({ seq: 1 });
});

test("an older log that was put back is found while llmlb runs, and by a place kept", async () => {
  await write();
  const { last } = await verifyOffline(home.path);
  const head = readFileSync(headPath());
  await write(11, 14);
  const later = (await verifyOffline(home.path)).last;
  sql("DELETE FROM audit_records WHERE seq > 10");
  writeFileSync(headPath(), head);
  expect(await found()).toBe("whole");
  expect((await verifyOffline(home.path, later)).fault).toMatchObject({ seq: 11 });
  expect((await verifyOffline(home.path, last)).fault).toBeUndefined();
  await withLog(async (log) => {
    await log.record(event(11));
    sql("DELETE FROM audit_records WHERE seq > 10");
    expect((await log.verify()).fault).toEqual({ seq: 11, reason: expect.any(String) });
  });
});

describe("the anchor", () => {
  const prune = (upTo: number) =>
    withLog((log) => log.prune(1_700_000_000_000 + upTo + 1, Number.MAX_SAFE_INTEGER));

  test("what was deleted for its age does not break the chain", async () => {
    await write();
    await prune(4);
    expect(await verifyOffline(home.path)).toMatchObject({
      ...{ fault: undefined, checked: 6, prunedUpTo: 4 },
    });
    await write(11, 12);
    await prune(20);
    expect(await verifyOffline(home.path)).toMatchObject({ fault: undefined, prunedUpTo: 12 });
    await write(13, 13);
    expect(await verifyOffline(home.path)).toMatchObject({ fault: undefined, checked: 1 });
  });

  test("the oldest beyond a number are deleted, too", async () => {
    await write();
    await withLog((log) => log.prune(0, 3));
    expect(await verifyOffline(home.path)).toMatchObject({ checked: 3, prunedUpTo: 7 });
  });

  test.each([
    ["moved on", "UPDATE audit_anchor SET seq = 6"],
    ["changed", "UPDATE audit_anchor SET mac = 'x'"],
    ["made up", "UPDATE audit_anchor SET seal = 'x'"],
  ])("one that was %s is found", async (_, change) => {
    await write();
    await prune(4);
    sql(change);
    sql("DELETE FROM audit_records WHERE seq <= 6");
    expect(await found()).toMatchObject({ reason: expect.stringContaining("The anchor") });
  });

  test("neither an older one nor none fits", async () => {
    await write();
    await prune(2);
    sql("CREATE TABLE kept AS SELECT * FROM audit_anchor");
    await prune(4);
    sql("DELETE FROM audit_anchor", "INSERT INTO audit_anchor SELECT * FROM kept");
    expect(await found()).toEqual({ seq: 3, reason: "Records 3 to 4 are missing." });
    sql("DELETE FROM audit_anchor");
    expect(await found()).toEqual({ seq: 1, reason: "Records 1 to 4 are missing." });
  });

  test("records from before it are found", async () => {
    await write();
    await prune(4);
    sql("UPDATE audit_records SET seq = 2 WHERE seq = 5");
    expect(await found()).toMatchObject({ seq: 2, reason: expect.stringContaining("anchor") });
  });

  test("a record that was changed is told before it is deleted for its age", async () => {
    await write();
    sql("UPDATE audit_records SET user_name = 'eve' WHERE seq = 3");
    await prune(4);
    expect(await found()).toBe("whole");
    await withLog(async (_, { table }) => {
      const told = await table?.record(11);
      expect(told).toMatchObject({ action: "system", subject: expect.stringContaining("damaged") });
      expect(told?.details).toContain("Record 3 does not fit");
    });
  });
});
