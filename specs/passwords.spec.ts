import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser } from "../src/testkit/browser.ts";
import { FIRST_PASSWORD, PASSWORD, People, refusedWith } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { LoginAnswer, MeAnswer } from "../src/wire/login.ts";

setDefaultTimeout(60_000);

let program: Program;
let people: People;
beforeAll(async () => {
  program = await Program.start({
    ...{ mode: "balancer", untilReady: false },
    args: ["--access", "required", "--trusted-proxies", "127.0.0.1"],
    env: { LLMLB_ADMIN_PASSWORD: PASSWORD },
  });
  people = new People(program);
});
afterAll(() => program?.stop());

/** The address of another client, as the proxy in front tells it. */
const from = (address: string) => ({ "x-forwarded-for": address });
const statusOf = async (browser: Browser, route = "GET /v1/models") =>
  (await browser.send(route)).status;

describe("a password", () => {
  test("that somebody else has set must be changed first", async () => {
    await people.create("fresh", "admin");
    const browser = await people.loggedIn("fresh", FIRST_PASSWORD);
    const refused: [number, string] = [403, "password_change_required"];
    for (const path of ["/v1/models", "/api/users", "/api/auth/sessions", "/api/keys"]) {
      expect(await refusedWith(await browser.send(`GET ${path}`))).toEqual(refused);
    }
    expect(await refusedWith(await browser.send("POST /api/keys", { name: "x" }))).toEqual(refused);
    const me = MeAnswer.parse(await (await browser.send("GET /api/auth/me")).json());
    expect(me).toMatchObject({ must_change_password: true });
    const change = (new_password: string) =>
      browser.send("PUT /api/auth/password", { new_password });
    expect((await change("short")).status).toBe(400);
    expect((await change(FIRST_PASSWORD)).status).toBe(400);
    const before = browser.cookies.get("llmlb_session");
    const changed = await change(PASSWORD);
    expect(changed.status).toBe(200);
    expect(browser.cookies.get("llmlb_session")).not.toBe(before);
    expect(await statusOf(browser, "GET /api/users")).toBe(200);
    expect(LoginAnswer.parse(await changed.json()).user.must_change_password).toBeFalse();
    const old = await people.browser().logIn("fresh", FIRST_PASSWORD);
    expect(old.status).toBe(401);
  });

  test("that is changed needs the old one, and ends all other log-ins", async () => {
    const browser = await people.settled("changer");
    const elsewhere = await people.loggedIn("changer", PASSWORD);
    const change = (body: object) => browser.send("PUT /api/auth/password", body);
    const next = { new_password: "battery staple" };
    expect(await refusedWith(await change(next))).toEqual([400, "wrong_password"]);
    const wrong = { ...next, current_password: "wrong" };
    expect(await refusedWith(await change(wrong))).toEqual([400, "wrong_password"]);
    await browser.learn(await change({ ...next, current_password: PASSWORD }));
    expect(await statusOf(browser)).toBe(200);
    expect((await browser.send("POST /api/auth/logout")).status).toBe(204);
    expect(await statusOf(elsewhere)).toBe(401);
    await people.loggedIn("changer", "battery staple");
  });

  test("is asked for by nobody with a key", async () => {
    const made = await people.local("POST /api/keys", { name: "keyed" });
    const { key } = (await made.json()) as { key: string };
    const browser = people.browser();
    const body = { current_password: PASSWORD, new_password: "battery staple" };
    const response = await browser.send("PUT /api/auth/password", body, { "x-api-key": key });
    expect(await refusedWith(response)).toEqual([403, "session_required"]);
  });
});

describe("guessing a password", () => {
  const tryAt = (address: string, username: string, password: string) =>
    people.browser().send("POST /api/auth/login", { username, password }, from(address));

  test("is slowed down, and keeps nobody out who was there before", async () => {
    await people.settled("target");
    expect((await tryAt("198.51.100.7", "target", PASSWORD)).status).toBe(200);
    const guesses = Array.from({ length: 12 }, (_, i) =>
      tryAt(`203.0.113.${i}`, "target", `guess ${i}`),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(5).fill(401), ...Array(7).fill(429)]);
    const refused = await tryAt("203.0.113.99", "target", PASSWORD);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refusedWith(refused)).toEqual([429, "too_many_logins"]);
    expect((await tryAt("198.51.100.7", "target", PASSWORD)).status).toBe(200);
    const waitMs = Number(refused.headers.get("retry-after")) * 1000;
    await Bun.sleep(waitMs);
    expect((await tryAt("203.0.113.99", "target", PASSWORD)).status).toBe(200);
  });

  test("of names that nobody has is slowed down as well", async () => {
    const guesses = Array.from({ length: 7 }, (_, i) => tryAt(`192.0.2.${i}`, "ghost", "guess"));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status).sort();
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });
});
