import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failureOf, makeStateHome, type StateHome } from "../../testkit/state.ts";
import { HISTORY_MIGRATIONS } from "../history/migrations.ts";
import { STATE_MIGRATIONS } from "../state/migrations.ts";
import { migrate, schemaOf } from "./migrate.ts";
import { openStore } from "./open.ts";
import type { Migration } from "./store.ts";

let home: StateHome;
let path: string;

beforeEach(() => {
  home = makeStateHome();
  path = join(home.path, "lb.db");
});
afterEach(() => home.remove());

const STEPS: Migration[] = [
  { name: "one", up: "CREATE TABLE one (a); INSERT INTO one VALUES (1);" },
  { name: "two", up: "CREATE TABLE two (a);" },
];

test("migrations run once, in order, and later ones are added", () => {
  const db = new Database(path);
  migrate(db, STEPS.slice(0, 1));
  migrate(db, STEPS);
  migrate(db, STEPS);
  expect(schemaOf(db)).toBe(2);
  expect(db.query("SELECT count(*) AS n FROM one").get()).toEqual({ n: 1 });
  db.close();
});

test("a migration that fails leaves nothing of itself and names itself", () => {
  const db = new Database(path);
  const broken = { name: "broken", up: "CREATE TABLE three (a); INSERT INTO nowhere VALUES (1);" };
  expect(() => migrate(db, [...STEPS, broken])).toThrow('to "broken": no such table: nowhere');
  expect(schemaOf(db)).toBe(2);
  expect(db.query("SELECT name FROM sqlite_schema WHERE name = 'three'").get()).toBeNull();
  db.close();
});

test("a schema from the future is refused and left untouched", async () => {
  const state = await home.open();
  await state.close();
  const db = new Database(path);
  db.run("PRAGMA user_version = 99");
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  const before = readFileSync(path);
  expect(await failureOf(home.open())).toContain(
    `written by a newer llmlb (schema 99, this one knows ${STATE_MIGRATIONS.length})`,
  );
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("a process killed in the middle of a migration leaves the step before it", async () => {
  const script = join(home.path, "child.ts");
  writeFileSync(
    script,
    `import { Database } from "bun:sqlite";
     import { migrate } from ${JSON.stringify(join(import.meta.dir, "migrate.ts"))};
     const db = new Database(process.argv[2] ?? "");
     db.run("PRAGMA journal_mode = WAL");
     migrate(db, [
       { name: "one", up: "CREATE TABLE one (a); INSERT INTO one VALUES (1);" },
       { name: "two", up: (db) => {
         db.run("CREATE TABLE two (a)");
         db.run("DROP TABLE one");
         process.kill(process.pid, "SIGKILL");
       } },
     ]);`,
  );
  const child = Bun.spawn([process.execPath, script, path]);
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  const db = new Database(path);
  expect(schemaOf(db)).toBe(1);
  migrate(db, STEPS);
  expect(schemaOf(db)).toBe(2);
  expect(db.query("SELECT a FROM one").get()).toEqual({ a: 1 });
  db.close();
});

test("two processes that start at once migrate once", async () => {
  const script = join(home.path, "child.ts");
  writeFileSync(
    script,
    `import { Database } from "bun:sqlite";
     import { migrate } from ${JSON.stringify(join(import.meta.dir, "migrate.ts"))};
     const db = new Database(process.argv[2] ?? "");
     db.run("PRAGMA busy_timeout = 5000");
     migrate(db, [{ name: "one", up: (db) => {
       Bun.sleepSync(200);
       db.run("CREATE TABLE a (a)");
     } }]);`,
  );
  new Database(path).run("PRAGMA journal_mode = WAL");
  const children = [1, 2].map(() => Bun.spawn([process.execPath, script, path]));
  expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0]);
});

test("bodies that had a table of their own stay with their request", () => {
  const db = new Database(":memory:");
  migrate(db, HISTORY_MIGRATIONS.slice(0, 1));
  for (const [seq, id] of ["a", "b"].entries()) {
    db.run(
      `INSERT INTO requests (seq, id, request_id, request_type, model, started_at, completed_at,
         streamed, retries, succeeded, duration_ms)
         VALUES (?, ?, 'r', 'chat', 'm', 1, 2, 0, 0, 1, 1)`,
      [seq, id],
    );
  }
  db.run("INSERT INTO request_bodies VALUES (1, 'asked', 'answered')");
  migrate(db, HISTORY_MIGRATIONS);
  const rows = db.query("SELECT id, request_body, response_body FROM requests ORDER BY id").all();
  expect(rows).toEqual([
    { id: "a", request_body: null, response_body: null },
    { id: "b", request_body: "asked", response_body: "answered" },
  ]);
  db.close();
});

test("every released migration runs on an empty database", () => {
  for (const migrations of [STATE_MIGRATIONS, HISTORY_MIGRATIONS]) {
    const db = new Database(":memory:");
    migrate(db, migrations);
    expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    db.close();
  }
});

test("files are for this user only, and side files too", async () => {
  const state = await home.open();
  await state.endpoints.create({ name: "a", baseUrl: "http://a" });
  for (const name of ["lb.db", "lb.db-wal", "lb.db-shm", "history.db", "secret.key"]) {
    const file = join(home.path, name);
    expect({ name, mode: statSync(file).mode & 0o777 }).toEqual({ name, mode: 0o600 });
  }
  expect(statSync(home.path).mode & 0o777).toBe(0o700);
});

test("a file that is no database, or a folder that is none, is named", () => {
  writeFileSync(path, "x".repeat(5000));
  const options = { path, migrations: STATE_MIGRATIONS, busyMs: 0 };
  expect(() => openStore(options)).toThrow(`Using ${path} failed: the file is damaged`);
  rmSync(path);
  const below = join(home.path, "file");
  writeFileSync(below, "");
  expect(() => openStore({ ...options, path: join(below, "lb.db") })).toThrow(below);
  expect(existsSync(path)).toBe(false);
});
