import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openState, type State } from "../db/database.ts";
import { createLogger } from "../lib/log.ts";
import { Accounts } from "./accounts.ts";
import { Authentication } from "./authentication.ts";
import { LiveSessions } from "./livesessions.ts";
import { hashPassword, isPassword } from "./password.ts";

// Passwords are hashed, which takes a busy machine its time.
setDefaultTimeout(60_000);

const PASSWORD = "correct horse";
const HOME = { address: "192.0.2.1", userAgent: null };
const ELSEWHERE = { address: "203.0.113.1", userAgent: null };
const log = createLogger({ level: "silent" });

let folder: string;
let state: State;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "llmlb-"));
  state = await openState({ home: folder, log });
  const accounts = await Accounts.open(state);
  const passwordHash = await hashPassword(PASSWORD);
  await accounts.createUser({ name: "ann", role: "admin", passwordHash });
  await accounts.createUser({ name: "oda", role: "viewer", oidcSubject: "https://id x" });
});
afterAll(async () => {
  await state.close();
  rmSync(folder, { recursive: true });
});

/** As after a start of the program. */
async function opened() {
  const accounts = await Accounts.open(state);
  const sessions = await LiveSessions.open(state.sessions, accounts);
  const login = new Authentication({ accounts, sessions, required: true, log });
  return { accounts, sessions, login };
}

test("a password is the one of its hash; without a hash none is", async () => {
  const hash = await hashPassword(PASSWORD);
  expect(await isPassword(PASSWORD, hash)).toBeTrue();
  expect(await isPassword(`${PASSWORD}.`, hash)).toBeFalse();
  expect(await isPassword("", hash)).toBeFalse();
  expect(await isPassword(PASSWORD, null)).toBeFalse();
  expect(await isPassword(PASSWORD, undefined)).toBeFalse();
  const longest = "x".repeat(1024);
  expect(await isPassword(`${longest}y`, await hashPassword(longest))).toBeFalse();
});

test("who was there before a restart is let in while others guess from elsewhere", async () => {
  await (await opened()).login.withPassword("ann", PASSWORD, HOME);
  const { login } = await opened();
  const guess = () => login.withPassword("ann", "wrong", ELSEWHERE).catch(({ code }) => code);
  const guesses = await Promise.all(Array.from({ length: 7 }, guess));
  expect(guesses.sort()).toEqual([
    ...Array(5).fill("invalid_credentials"),
    ...Array(2).fill("too_many_logins"),
  ]);
  expect((await login.withPassword("ann", PASSWORD, HOME)).user.name).toBe("ann");
});

test("a password that is changed while it is looked at lets nobody in", async () => {
  const { accounts, sessions, login } = await opened();
  const ann = accounts.user("ann");
  const entering = login.withPassword("ann", PASSWORD, HOME).catch(({ code }) => code);
  await accounts.changeUser(ann?.id ?? "", { passwordHash: `${ann?.passwordHash}x` });
  expect(await entering).toBe("account_changed");
  expect(sessions.list(ann?.id)).toEqual([]);
  await accounts.changeUser(ann?.id ?? "", { passwordHash: ann?.passwordHash ?? null });
});

test("nobody gets in by password who has none", async () => {
  const { login } = await opened();
  for (const password of ["", "null", PASSWORD]) {
    const refused = await login.withPassword("oda", password, HOME).catch(({ code }) => code);
    expect(refused).toBe("invalid_credentials");
  }
});
