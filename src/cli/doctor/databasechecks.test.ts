import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createEndpoint, makeRequest, makeStateHome, type StateHome } from "../../testkit/state.ts";
import { checkDatabases } from "./databasechecks.ts";

let home: StateHome;
beforeEach(() => {
  home = makeStateHome();
});
afterEach(() => home.remove());

const findings = (): Record<string, unknown> => {
  const found = checkDatabases(home.path);
  return Object.fromEntries(found.map(({ subject, state, text }) => [subject, { state, text }]));
};
const path = (name: string) => join(home.path, name);
const problem = (text: string) => ({ state: "problem", text: expect.stringContaining(text) });

/** A data folder with an endpoint whose key is stored, and something in its history. */
async function used(): Promise<void> {
  const state = await home.open();
  await createEndpoint(state, { name: "a", baseUrl: "http://a", apiKey: "sk-1" });
  for (let i = 0; i < 200; i += 1) state.requests.record(makeRequest({ id: `${i}` }));
  await state.close();
}

test("an empty folder has no databases, and gets none", () => {
  expect(findings()).toEqual({ Databases: { state: "ok", text: expect.any(String) } });
  expect(readdirSync(home.path)).toEqual([]);
});

test("whole files are fine, in use or not, and are left as they are", async () => {
  const fine = {
    "lb.db": { state: "ok", text: expect.stringMatching(/KiB, whole$/) },
    "history.db": { state: "ok", text: expect.stringMatching(/KiB, whole$/) },
    "audit.db": { state: "ok", text: expect.stringMatching(/KiB, whole$/) },
    "secret.key": { state: "ok", text: "opens all 1 keys" },
  };
  await used();
  const before = readFileSync(path("history.db"));
  expect(findings()).toEqual(fine);
  expect(readFileSync(path("history.db"))).toEqual(before);
  await home.open();
  expect(findings()).toEqual(fine);
});

test("what a killed llmlb left beside its files is read, too", async () => {
  const state = await home.open();
  await createEndpoint(state, { name: "a", baseUrl: "http://a", apiKey: "sk-1" });
  const other = makeStateHome();
  for (const name of ["lb.db", "lb.db-wal", "secret.key"]) {
    if (existsSync(path(name))) copyFileSync(path(name), join(other.path, name));
  }
  const [file, key] = checkDatabases(other.path);
  expect(file).toMatchObject({ subject: "lb.db", state: "ok" });
  expect(key).toMatchObject({ subject: "secret.key", text: "opens all 1 keys" });
  await other.remove();
});

test("a damaged file is told, with what to do, and so is one that is none", async () => {
  await used();
  const { size } = statSync(path("history.db"));
  truncateSync(path("history.db"), Math.floor(size / 2));
  for (const name of ["lb.db", "audit.db"]) writeFileSync(path(name), "x".repeat(5000));
  const text = `failed: the file is damaged or no database. Stop llmlb, and restore`;
  expect(findings()).toEqual({
    "lb.db": problem(`${path("lb.db")} ${text}`),
    "history.db": problem(`${path("history.db")} ${text}`),
    "audit.db": problem(`${path("audit.db")} ${text}`),
  });
});

test("a page of a table that was overwritten is damage", async () => {
  await used();
  const bytes = readFileSync(path("history.db"));
  bytes.fill(0xff, 4096 * 3, 4096 * 6);
  writeFileSync(path("history.db"), bytes);
  expect(findings()["history.db"]).toEqual(problem("the file is damaged"));
});

test("a file of a newer program is told", async () => {
  await used();
  const db = new Database(path("lb.db"));
  db.run("PRAGMA user_version = 999");
  db.close();
  expect(findings()["lb.db"]).toEqual(problem("it was written by a newer llmlb (schema 999"));
});

test.skipIf(process.getuid?.() === 0)("a file that this user may not write is told", async () => {
  await used();
  chmodSync(path("lb.db"), 0o400);
  expect(findings()["lb.db"]).toEqual(problem("Make it writable for this user"));
});

test("a secret.key that is another, missing or no key names whom it fails", async () => {
  await used();
  const again = "llmlb endpoint set <name> --key -";
  rmSync(path("secret.key"));
  expect(findings()["secret.key"]).toEqual(problem("were stored: a. Restore it from a backup"));
  expect(existsSync(path("secret.key"))).toBe(false);
  writeFileSync(path("secret.key"), Buffer.alloc(32, 1).toString("base64"));
  expect(findings()["secret.key"]).toEqual(problem(again));
  writeFileSync(path("secret.key"), "hello");
  expect(findings()["secret.key"]).toEqual(problem("it holds no key. Restore it"));
});
