import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import { failureOf, makeStateHome, type StateHome } from "../../testkit/state.ts";
import { isDuplicate, isTransient, StorageError } from "./error.ts";
import { openReader, openStore } from "./open.ts";
import type { RowStore } from "./store.ts";
import { Thread, workerScript } from "./thread.ts";

interface Schema {
  notes: { id: number; text: string | null };
}

const MIGRATIONS = [
  { name: "notes", up: "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE) STRICT;" },
];

let home: StateHome;
let path: string;
let store: RowStore<Schema>;

beforeEach(() => {
  home = makeStateHome();
  path = join(home.path, "notes.db");
  store = openStore<Schema>({ path, migrations: MIGRATIONS, busyMs: 50 });
});
afterEach(async () => {
  await store.close();
  await home.remove();
});

const texts = async () => {
  const rows = await store.kysely.selectFrom("notes").select("text").orderBy("id").execute();
  return rows.map(({ text }) => text);
};
const insert = (text: string, db = store.kysely) =>
  db.insertInto("notes").values({ text } as Schema["notes"]);

describe("a store", () => {
  test("gives back what was written, and how many rows a change met", async () => {
    await insert("a").execute();
    expect(await insert("b").returningAll().executeTakeFirst()).toEqual({ id: 2, text: "b" });
    const update = store.kysely.updateTable("notes").set({ text: null }).where("id", ">", 0);
    expect((await update.executeTakeFirst()).numUpdatedRows).toBe(2n);
    const remove = store.kysely.deleteFrom("notes").where("id", "=", 1);
    expect((await remove.executeTakeFirst()).numDeletedRows).toBe(1n);
  });

  test("tells what is taken", async () => {
    await insert("a").execute();
    const error = await insert("a")
      .execute()
      .catch((error) => error);
    expect(error).toBeInstanceOf(StorageError);
    expect(isDuplicate(error, "notes.text")).toBe(true);
    expect(isDuplicate(error, "notes.other")).toBe(false);
    expect(isTransient(error)).toBe(false);
  });

  test("takes a transaction that throws back as a whole", async () => {
    const work = store.kysely.transaction().execute(async (db) => {
      await insert("a", db).execute();
      throw new Error("no");
    });
    expect(await failureOf(work)).toContain("no");
    expect(await texts()).toEqual([]);
  });

  test("keeps everything else out of a transaction", async () => {
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    const transaction = store.kysely
      .transaction()
      .execute(async (db) => {
        await insert("inside", db).execute();
        start();
        await Bun.sleep(30);
        throw new Error("no");
      })
      .catch(() => undefined);
    await started;
    const others = [
      insert("query").execute(),
      store.batch([{ sql: "INSERT INTO notes (text) VALUES (?)", rows: ['["batch"]'] }]),
    ];
    await Promise.all([transaction, ...others]);
    expect((await texts()).sort()).toEqual(["batch", "query"]);
  });

  test("runs a batch whole or not at all", async () => {
    const put = "INSERT INTO notes (text) VALUES (?)";
    await store.batch([{ sql: put, rows: ['["a"]', '["ü \\" \\u0000"]'] }]);
    expect(await texts()).toEqual(["a", 'ü " \u0000']);
    const twice = store.batch([{ sql: put, rows: ['["b"]', '["a"]'] }]);
    expect(await failureOf(twice)).toContain("UNIQUE constraint failed: notes.text");
    expect((await texts()).length).toBe(2);
  });

  test("does not mind more statements than it keeps compiled", async () => {
    for (let i = 0; i < 600; i += 1) {
      await sql`select ${sql.lit(i)} as ${sql.ref(`column${i}`)}`.execute(store.kysely);
    }
    await insert("a").execute();
    expect(await texts()).toEqual(["a"]);
  });

  test("says that another process has the file when it waited long enough", async () => {
    const other = new Database(path);
    other.run("BEGIN IMMEDIATE");
    const error = await insert("a")
      .execute()
      .catch((error) => error);
    expect(error).toMatchObject({ code: "storage_locked", cause: "SQLITE_BUSY", status: 503 });
    expect(isTransient(error)).toBe(true);
    other.run("ROLLBACK");
    other.close();
    await insert("a").execute();
    expect(await texts()).toEqual(["a"]);
  });

  test("does not hold up this process while it waits", async () => {
    const other = new Database(path);
    other.run("BEGIN IMMEDIATE");
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await insert("a")
      .execute()
      .catch(() => undefined);
    clearInterval(timer);
    other.close();
    expect(turns).toBeGreaterThan(5);
  });

  test("refuses work after it was closed", async () => {
    await insert("a").execute();
    await store.close();
    await store.close();
    expect(await failureOf(texts())).toContain("The database is closed.");
  });
});

test("Bun keeps nothing of the thread's script on the disk", async () => {
  expect((await workerScript()).length).toBeLessThan(4096);
});

test("a reader reads what is committed and cannot write", async () => {
  await insert("a").execute();
  const reader = openReader<Schema>(path, 50);
  expect(await reader.kysely.selectFrom("notes").selectAll().execute()).toHaveLength(1);
  expect(await failureOf(insert("b", reader.kysely).execute())).toContain("read-only");
  await reader.close();
});

test("a thread that cannot open its file says so, and may be asked again", async () => {
  const later = join(home.path, "later.db");
  const thread = new Thread({ path: later, busyMs: 0 });
  const query = { kind: "query", sql: "SELECT 1 AS one", params: [] } as const;
  expect(await failureOf(thread.perform(query))).toContain("cannot be opened");
  new Database(later, { create: true }).close();
  expect((await thread.perform(query)).rows).toEqual([{ one: 1 }]);
  await thread.close();
});

test.if(process.platform === "linux")("a database's thread comes after those of requests", () => {
  const nices = readdirSync("/proc/self/task").map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, "utf8");
    // Counted from behind the name, which may have spaces: the 17th field.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  });
  expect(nices).toContain(Math.min(19, Math.min(...nices) + 5));
});
