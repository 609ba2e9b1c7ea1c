import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openState, type State } from "../db/database.ts";
import type { UserRow } from "../db/state/users.ts";
import { createLogger } from "../lib/log.ts";
import { Accounts } from "./accounts.ts";
import { LiveSessions } from "./livesessions.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const T0 = Date.now();
const VISITOR = { address: "192.0.2.1", userAgent: "browser" };

let home: string;
let state: State;
let accounts: Accounts;
let sessions: LiveSessions;
let ann: UserRow;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "llmlb-"));
  state = await openState({ home, log: createLogger({ level: "silent" }) });
  accounts = await Accounts.open(state);
  sessions = await LiveSessions.open(state.sessions, accounts);
  ann = await accounts.createUser({ name: "ann", role: "admin", passwordHash: "old" });
});
afterEach(async () => {
  await state.close();
  rmSync(home, { recursive: true });
});

const start = async (now = T0) => (await sessions.start(ann, VISITOR, now)).token;
/** As after the next start of the program. */
const reopened = () => LiveSessions.open(state.sessions, accounts);

describe("a session", () => {
  test("lives for a day after its last use", async () => {
    const token = await start();
    expect(sessions.principalOf(token, T0 + 23 * HOUR_MS)).toMatchObject({
      kind: "session",
      user: { name: "ann" },
    });
    expect(sessions.principalOf(token, T0 + 46 * HOUR_MS)).toBeDefined();
    expect(sessions.principalOf(token, T0 + 70 * HOUR_MS)).toBeUndefined();
  });

  test("lives for 30 days at most", async () => {
    const token = await start();
    for (let at = 0; at < 30 * DAY_MS; at += 23 * HOUR_MS) {
      expect(sessions.principalOf(token, T0 + at)).toBeDefined();
    }
    expect(sessions.principalOf(token, T0 + 30 * DAY_MS)).toBeUndefined();
  });

  test("is there after a restart, with its last use", async () => {
    const token = await start();
    sessions.principalOf(token, T0 + 20 * HOUR_MS);
    await sessions.save(T0 + 20 * HOUR_MS);
    const again = await reopened();
    expect(again.principalOf(token, T0 + 40 * HOUR_MS)).toBeDefined();
  });

  test("has a token that is stored nowhere", async () => {
    const token = await start();
    expect(JSON.stringify(await state.sessions.list())).not.toContain(token.slice(4));
    expect(sessions.principalOf(`${token.slice(0, -1)}!`)).toBeUndefined();
    expect(sessions.principalOf("ses_")).toBeUndefined();
  });

  test("may do what its user may now", async () => {
    const bob = await accounts.createUser({ name: "bob", role: "viewer" });
    const { token } = await sessions.start(bob, VISITOR);
    expect(sessions.principalOf(token)?.permissions.has("users.manage")).toBeFalse();
    await accounts.changeUser(bob.id, { role: "admin" });
    expect(sessions.principalOf(token)?.permissions.has("users.manage")).toBeTrue();
  });

  test("is removed from the store once it is over", async () => {
    await start();
    await start(T0 + DAY_MS);
    await sessions.save(T0 + DAY_MS + HOUR_MS);
    expect(await state.sessions.list()).toHaveLength(1);
  });
});

describe("the sessions of a user", () => {
  test("are 20 at most: the one that was used longest ago ends", async () => {
    const first = await start(T0);
    const second = await start(T0 + 1);
    sessions.principalOf(first, T0 + 2);
    for (let i = 0; i < 19; i += 1) await start(T0 + 3 + i);
    expect(sessions.list(ann.id, T0 + 30)).toHaveLength(20);
    expect(sessions.find(first, T0 + 30)).toBeDefined();
    expect(sessions.find(second, T0 + 30)).toBeUndefined();
    expect(await state.sessions.list()).toHaveLength(20);
  });

  test("end with another password, a lesser role, and his removal", async () => {
    await accounts.createUser({ name: "root", role: "admin" });
    const other = await sessions.start(
      await accounts.createUser({ name: "bob", role: "viewer" }),
      VISITOR,
    );
    const changes = [
      () => accounts.changeUser(ann.id, { passwordHash: "new" }),
      () => accounts.changeUser(ann.id, { role: "viewer" }),
      () => accounts.removeUser(ann.id),
    ];
    for (const change of changes) {
      const token = await start();
      await change();
      expect(sessions.principalOf(token, T0)).toBeUndefined();
      expect((await reopened()).principalOf(token, T0)).toBeUndefined();
      sessions = await reopened();
    }
    expect(sessions.principalOf(other.token)).toBeDefined();
  });

  test("stay with another name, other limits, a higher role", async () => {
    const bob = await accounts.createUser({ name: "bob", role: "viewer" });
    const { token } = await sessions.start(bob, VISITOR);
    await accounts.changeUser(bob.id, { name: "rob", lastLoginAt: 1 });
    await accounts.changeUser(bob.id, { role: "admin" });
    expect(sessions.principalOf(token)?.user?.name).toBe("rob");
  });
});
