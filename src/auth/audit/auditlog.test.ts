import { afterEach, beforeEach, expect, test } from "bun:test";
import { type AuditStore, openAuditStore } from "../../db/audit/file.ts";
import { StorageError } from "../../db/engine/error.ts";
import { openSecretKey } from "../../db/state/secretkey.ts";
import { temporaryHome } from "../../testkit/command.ts";
import { silent } from "../../testkit/state.ts";
import { AuditLog } from "./auditlog.ts";
import { HeadFile } from "./headfile.ts";
import { systemEvent } from "./systemevent.ts";

let home: ReturnType<typeof temporaryHome>;
let store: AuditStore;
beforeEach(() => {
  home = temporaryHome();
  store = openAuditStore({ home: home.path, secret: openSecretKey(home.path), log: silent });
});
afterEach(async () => {
  await store.table?.close();
  home[Symbol.dispose]();
});

function open(): AuditLog {
  const { key, table } = store;
  return new AuditLog({ table, key, headFile: new HeadFile(home.path, key), log: silent });
}

async function subjects(): Promise<(string | null)[]> {
  return ((await store.table?.after(0, 1000)) ?? []).map(({ subject }) => subject);
}

test("what comes at the same time is chained in the order in which it came", async () => {
  const log = open();
  const names = Array.from({ length: 700 }, (_, i) => `event ${i}`);
  await Promise.all(names.map((name) => log.record(systemEvent(name, {}))));
  expect(await subjects()).toEqual(names);
  expect((await log.verify()).fault).toBeUndefined();
  await log.close();
});

test("what could not be written delays nobody, and is written by the next one", async () => {
  const log = open();
  await log.record(systemEvent("before", {}));
  const { table } = store;
  if (table === undefined) throw new Error("There is no table.");
  const append = table.append.bind(table);
  table.append = () =>
    Promise.reject(new StorageError("full", "The disk is full.", { databaseCode: "SQLITE_FULL" }));
  await log.record(systemEvent("meanwhile", {}));
  expect(await subjects()).toEqual(["before"]);
  table.append = append;
  await log.record(systemEvent("after", {}));
  expect(await subjects()).toEqual(["before", "meanwhile", "after"]);
  expect((await log.verify()).fault).toBeUndefined();
  await log.close();
});

test("a change that has ended is no longer one that was begun", async () => {
  const log = open();
  const event = { ...systemEvent("x", {}), action: "change" as const };
  await log.begin("1", event);
  await log.begin("2", event);
  await log.record(event, "1");
  expect((await store.table?.begun())?.map(({ id }) => id)).toEqual(["2"]);
  await open().recordInterrupted();
  expect(await store.table?.begun()).toEqual([]);
  expect((await store.table?.after(1, 10))?.map(({ action }) => action)).toEqual(["interrupted"]);
});

test("halves of characters and control characters do not break the chain", async () => {
  const log = open();
  await log.record({ ...systemEvent("a\ud800b\nc\u0000", {}), path: "/\udfff".repeat(2000) });
  await log.record(systemEvent("next", {}));
  expect((await log.verify()).fault).toBeUndefined();
  expect((await subjects())[0]).toBe("a\ufffdb c ");
  await log.close();
});

test("another process makes the chain longer, and this one goes on after it", async () => {
  const [old, next] = [open(), open()];
  await old.record(systemEvent("old", {}));
  await old.suspend();
  const waiting = old.record(systemEvent("waited", {}));
  await next.record(systemEvent("of the other", {}));
  await next.close();
  old.resume();
  await waiting;
  expect(await subjects()).toEqual(["old", "of the other", "waited"]);
  expect((await old.verify()).fault).toBeUndefined();
  await old.close();
});

test("what happens after another process has the log is not written into it", async () => {
  const [old, next] = [open(), open()];
  await old.record(systemEvent("old", {}));
  await old.suspend();
  const waiting = old.record(systemEvent("waited", {}));
  await next.record(systemEvent("of the other", {}));
  old.handOver();
  await Promise.all([waiting, old.record(systemEvent("later", {}))]);
  await old.close();
  await next.record(systemEvent("of the other, too", {}));
  expect(await subjects()).toEqual(["old", "of the other", "of the other, too"]);
  expect((await next.verify()).fault).toBeUndefined();
  await next.close();
});
