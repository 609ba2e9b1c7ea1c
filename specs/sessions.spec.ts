import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "../src/testkit/browser.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { Program } from "../src/testkit/program.ts";
import { LoginAnswer, MeAnswer, SessionList } from "../src/wire/login.ts";

setDefaultTimeout(60_000);

const PASSWORD = "correct horse";
const OPTIONS = {
  mode: "balancer",
  untilReady: false,
  env: { LLMLB_ADMIN_PASSWORD: PASSWORD },
} as const;
const REQUIRED = ["--access", "required"];
const PROXIED = [...REQUIRED, "--trusted-proxies", "127.0.0.1"];

let program: Program;
beforeAll(async () => {
  program = await Program.start({ ...OPTIONS, args: PROXIED });
});
afterAll(() => program?.stop());

/** The address of another client, as the proxy in front tells it. */
const from = (address: string) => ({ "x-forwarded-for": address });

async function local(route: string, body?: object): Promise<Response> {
  const key = readFileSync(join(program.home, "local.key"), "utf8").trim();
  const bearer = { authorization: `Bearer ${key}` };
  return new Browser(program.url).send(route, body, bearer);
}

async function loggedIn(username = "admin", password = PASSWORD): Promise<Browser> {
  const browser = new Browser(program.url);
  const response = await browser.logIn(username, password);
  expect(response.status).toBe(200);
  return browser;
}

async function newUser(name: string, role = "viewer", password = "first password") {
  const made = await local("POST /api/users", { username: name, role, password });
  expect(made.status).toBe(201);
  return (await made.json()) as { id: string };
}

/** A user who has chosen his password. */
async function settled(name: string, role = "viewer"): Promise<Browser> {
  await newUser(name, role);
  const browser = await loggedIn(name, "first password");
  const next = { new_password: PASSWORD };
  await browser.learn(await browser.send("PUT /api/auth/password", next));
  return browser;
}

const statusOf = async (browser: Browser, route = "GET /v1/models") =>
  (await browser.send(route)).status;
const codeOf = async (response: Response) =>
  [response.status, ((await response.json()) as { error: { code: string } }).error.code] as const;

describe("a log-in", () => {
  test("begins with name and password, and ends with the log-out", async () => {
    const browser = new Browser(program.url);
    const before = MeAnswer.parse(await (await browser.send("GET /api/auth/me")).json());
    expect(before).toMatchObject({ access: "required", user: null, permissions: [] });
    const response = await browser.logIn("ADMIN", PASSWORD);
    const answer = LoginAnswer.parse(await response.json());
    expect(answer.user).toMatchObject({ username: "admin", role: "admin" });
    const me = MeAnswer.parse(await (await browser.send("GET /api/auth/me")).json());
    expect(me).toMatchObject({ kind: "session", role: "admin", csrf_token: answer.csrf_token });
    expect(browser.cookies.get("llmlb_csrf")).toBe(answer.csrf_token);
    expect(await statusOf(browser, "GET /api/users")).toBe(200);
    expect((await browser.send("POST /api/auth/logout")).status).toBe(204);
    expect([...browser.cookies]).toEqual([]);
    expect(await statusOf(browser)).toBe(401);
  });

  test("has cookies that no script reads, and of https that travel by nothing else", async () => {
    const [session, csrf] = (
      await new Browser(program.url).logIn("admin", PASSWORD)
    ).headers.getSetCookie();
    expect(session).toMatch(
      /^llmlb_session=ses_[\w-]{43}; Path=\/; Max-Age=2592000; SameSite=Lax; HttpOnly$/,
    );
    expect(csrf).toMatch(/^llmlb_csrf=[\w-]{43}; Path=\/; Max-Age=2592000; SameSite=Lax$/);
    const https = { "x-forwarded-proto": "https" };
    const secure = new Browser(program.url);
    const body = { username: "admin", password: PASSWORD };
    const answer = await secure.send("POST /api/auth/login", body, https);
    for (const cookie of answer.headers.getSetCookie()) expect(cookie).toContain("; Secure");
    expect([...secure.cookies.keys()]).toEqual(["__Host-llmlb_session", "llmlb_csrf"]);
    expect((await secure.send("GET /api/users", undefined, https)).status).toBe(200);
    expect((await secure.send("GET /api/users")).status).toBe(401);
  });

  test("has a new token, whatever cookie was there before", async () => {
    const browser = await loggedIn();
    const first = browser.cookies.get("llmlb_session") ?? "";
    const planted = new Browser(program.url);
    planted.cookies.set("llmlb_session", first);
    await planted.logIn("admin", PASSWORD);
    expect(planted.cookies.get("llmlb_session")).not.toBe(first);
    const made = `ses_${"A".repeat(43)}`;
    planted.cookies.set("llmlb_session", made);
    await planted.logIn("admin", PASSWORD);
    expect(planted.cookies.get("llmlb_session")).not.toBe(made);
  });

  test("is nobody's with a token that was changed", async () => {
    const browser = await loggedIn();
    const token = browser.cookies.get("llmlb_session") ?? "";
    const swapped = token.slice(0, 4) + (token[4] === "A" ? "B" : "A") + token.slice(5);
    for (const forged of [
      swapped,
      token.slice(0, -1),
      `${token}A`,
      "ses_",
      "",
      "%00",
      "a".repeat(4000),
    ]) {
      browser.cookies.set("llmlb_session", forged);
      expect([forged, await statusOf(browser)]).toEqual([forged, 401]);
      expect([forged, await statusOf(browser, "GET /health")]).toEqual([forged, 200]);
    }
    browser.cookies.set("llmlb_session", swapped);
    expect(await codeOf(await browser.send("GET /v1/models"))).toEqual([401, "session_ended"]);
  });

  test("changes nothing without the token that only its own pages know", async () => {
    const browser = await loggedIn();
    const other = await loggedIn();
    const make = { name: "csrf" };
    const right = browser.csrfToken;
    for (const wrong of [
      undefined,
      "",
      "x",
      other.csrfToken,
      browser.cookies.get("llmlb_session"),
    ]) {
      browser.csrfToken = wrong;
      expect(await codeOf(await browser.send("POST /api/keys", make))).toEqual([
        403,
        "csrf_failed",
      ]);
      expect(await statusOf(browser, "GET /api/keys")).toBe(200);
    }
    browser.csrfToken = right;
    const evil = { origin: "https://evil.example" };
    expect(await codeOf(await browser.send("POST /api/keys", make, evil))).toEqual([
      403,
      "origin_not_allowed",
    ]);
    expect((await browser.send("POST /api/keys", make)).status).toBe(201);
  });

  test("is told nothing of which was wrong, name or password", async () => {
    const answers = [];
    for (const [name, password] of [
      ["admin", "wrong"],
      ["nobody", PASSWORD],
      ["nobody", ""],
    ]) {
      const browser = new Browser(program.url);
      const body = { username: name, password };
      const response = await browser.send("POST /api/auth/login", body, from("198.51.100.1"));
      answers.push([response.status, (await response.json()) as object, [...browser.cookies]]);
    }
    expect(answers[1]).toEqual(answers[0] ?? []);
    expect(answers[2]).toEqual(answers[0] ?? []);
    expect(answers[0]?.[0]).toBe(401);
  });

  test("of the older API is a token for Authorization", async () => {
    const browser = new Browser(program.url);
    const body = { username: "admin", password: PASSWORD };
    const answer = (await (await browser.send("POST /v0/auth/login", body)).json()) as {
      token: string;
      expires_in: number;
    };
    expect(answer).toMatchObject({ user: { username: "admin", role: "admin" } });
    expect(answer.expires_in).toBeGreaterThan(86_000);
    expect([...browser.cookies]).toEqual([]);
    const bearer = { authorization: `Bearer ${answer.token}` };
    const me = await browser.send("GET /v0/auth/me", undefined, bearer);
    expect(await me.json()).toMatchObject({ username: "admin", role: "admin" });
    expect((await browser.send("POST /api/keys", { name: "v0" }, bearer)).status).toBe(201);
    expect((await browser.send("POST /v0/auth/logout", undefined, bearer)).status).toBe(204);
    expect((await browser.send("GET /v0/auth/me", undefined, bearer)).status).toBe(401);
  });
});

describe("log-ins can be listed and ended:", () => {
  const list = async (browser: Browser, query = "") =>
    SessionList.parse(await (await browser.send(`GET /api/auth/sessions${query}`)).json()).sessions;

  test("one's own by everybody, others' by who manages users", async () => {
    const admin = await loggedIn();
    const first = await settled("lister");
    const second = await loggedIn("lister", PASSWORD);
    const own = await list(second);
    expect(own.map(({ current }) => current).sort()).toEqual([false, true]);
    expect(own[0]?.user.name).toBe("lister");
    const [other] = own.filter(({ current }) => !current);
    expect(await statusOf(second, `DELETE /api/auth/sessions/${other?.id}`)).toBe(204);
    expect(await statusOf(first)).toBe(401);
    expect(await statusOf(second)).toBe(200);

    const [foreign] = await list(admin);
    expect(await statusOf(second, `DELETE /api/auth/sessions/${foreign?.id}`)).toBe(404);
    expect(await statusOf(second, "GET /api/auth/sessions?user=admin")).toBe(403);
    expect(await statusOf(second, "GET /api/auth/sessions?user=*")).toBe(403);
    const all = await list(admin, "?user=*");
    expect(new Set(all.map(({ user }) => user.name)).size).toBeGreaterThan(1);
    const [last] = await list(admin, "?user=lister");
    expect(await statusOf(admin, `DELETE /api/auth/sessions/${last?.id}`)).toBe(204);
    expect(await codeOf(await second.send("GET /v1/models"))).toEqual([401, "session_ended"]);
  });

  test("all of a user when he is demoted or removed, not when he is promoted", async () => {
    const browser = await settled("climber");
    const change = (role: string) => local("PATCH /api/users/climber", { role });
    await change("admin");
    expect(await statusOf(browser, "GET /api/users")).toBe(200);
    await change("viewer");
    expect(await statusOf(browser)).toBe(401);
    const again = await loggedIn("climber", PASSWORD);
    expect(await statusOf(again, "GET /api/users")).toBe(403);
    expect((await local("DELETE /api/users/climber")).status).toBe(204);
    expect(await statusOf(again)).toBe(401);
  });
});

describe("a password", () => {
  test("that somebody else has set must be changed first", async () => {
    await newUser("fresh", "admin");
    const browser = await loggedIn("fresh", "first password");
    const refused = [403, "password_change_required"] as const;
    for (const path of ["/v1/models", "/api/users", "/api/auth/sessions", "/api/keys"]) {
      expect(await codeOf(await browser.send(`GET ${path}`))).toEqual(refused);
    }
    expect(await codeOf(await browser.send("POST /api/keys", { name: "x" }))).toEqual(refused);
    const me = MeAnswer.parse(await (await browser.send("GET /api/auth/me")).json());
    expect(me).toMatchObject({ must_change_password: true });
    const change = (new_password: string) =>
      browser.send("PUT /api/auth/password", { new_password });
    expect((await change("short")).status).toBe(400);
    expect((await change("first password")).status).toBe(400);
    const before = browser.cookies.get("llmlb_session");
    const changed = await change(PASSWORD);
    expect(changed.status).toBe(200);
    expect(browser.cookies.get("llmlb_session")).not.toBe(before);
    expect(await statusOf(browser, "GET /api/users")).toBe(200);
    expect(LoginAnswer.parse(await changed.json()).user.must_change_password).toBeFalse();
    const old = await new Browser(program.url).logIn("fresh", "first password");
    expect(old.status).toBe(401);
  });

  test("that is changed needs the old one, and ends all other log-ins", async () => {
    const browser = await settled("changer");
    const elsewhere = await loggedIn("changer", PASSWORD);
    const change = (body: object) => browser.send("PUT /api/auth/password", body);
    const next = { new_password: "battery staple" };
    expect(await codeOf(await change(next))).toEqual([400, "wrong_password"]);
    const wrong = { ...next, current_password: "wrong" };
    expect(await codeOf(await change(wrong))).toEqual([400, "wrong_password"]);
    await browser.learn(await change({ ...next, current_password: PASSWORD }));
    expect(await statusOf(browser)).toBe(200);
    expect((await browser.send("POST /api/auth/logout")).status).toBe(204);
    expect(await statusOf(elsewhere)).toBe(401);
    await loggedIn("changer", "battery staple");
  });

  test("is asked for by nobody with a key", async () => {
    const made = await local("POST /api/keys", { name: "keyed" });
    const { key } = (await made.json()) as { key: string };
    const browser = new Browser(program.url);
    const body = { current_password: PASSWORD, new_password: "battery staple" };
    const response = await browser.send("PUT /api/auth/password", body, { "x-api-key": key });
    expect(await codeOf(response)).toEqual([403, "session_required"]);
  });
});

describe("guessing a password", () => {
  const tryAt = (address: string, username: string, password: string) =>
    new Browser(program.url).send("POST /api/auth/login", { username, password }, from(address));

  test("is slowed down, and keeps nobody out who was there before", async () => {
    await settled("target");
    expect((await tryAt("198.51.100.7", "target", PASSWORD)).status).toBe(200);
    const guesses = Array.from({ length: 12 }, (_, i) =>
      tryAt(`203.0.113.${i}`, "target", `guess ${i}`),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(5).fill(401), ...Array(7).fill(429)]);
    const refused = await tryAt("203.0.113.99", "target", PASSWORD);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await codeOf(refused)).toEqual([429, "too_many_logins"]);
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

test("nobody needs to log in where access control is off", async () => {
  using home = temporaryHome();
  const first = await Program.start({ ...OPTIONS, home: home.path, args: REQUIRED });
  const browser = new Browser(first.url);
  await browser.logIn("admin", PASSWORD);
  await first.stop();
  const open = await Program.start({ ...OPTIONS, home: home.path });
  try {
    const later = new Browser(open.url);
    for (const [name, value] of browser.cookies) later.cookies.set(name, value);
    const me = await later.send("GET /api/auth/me");
    expect(await me.json()).toEqual({ access: "off" });
    expect((await later.send("POST /api/keys", { name: "open" })).status).toBe(201);
    expect(await codeOf(await later.logIn("admin", PASSWORD))).toEqual([409, "access_off"]);
  } finally {
    await open.stop();
  }
});

test("a log-in outlives a restart, ends by its time, and can be read nowhere", async () => {
  using home = temporaryHome();
  const start = () => Program.start({ ...OPTIONS, home: home.path, args: REQUIRED });
  const first = await start();
  const browser = new Browser(first.url);
  await browser.logIn("admin", PASSWORD);
  await first.stop();

  const second = await start();
  const again = new Browser(second.url);
  for (const [name, value] of browser.cookies) again.cookies.set(name, value);
  expect(await statusOf(again, "GET /api/users")).toBe(200);
  await second.stop();

  const token = browser.cookies.get("llmlb_session") ?? "";
  for (const file of ["lb.db", "lb.db-wal", "logs/llmlb.log"]) {
    const text = await Bun.file(join(home.path, file))
      .bytes()
      .then(
        (bytes) => Buffer.from(bytes).toString("latin1"),
        () => "",
      );
    for (const secret of [token, browser.csrfToken ?? "", PASSWORD]) {
      expect([file, text.includes(secret)]).toEqual([file, false]);
    }
  }
  using db = new Database(join(home.path, "lb.db"));
  const day = 24 * 3_600_000;
  db.run("UPDATE sessions SET last_seen_at = ?", [Date.now() - day]);
  db.close();
  const third = await start();
  const late = new Browser(third.url);
  for (const [name, value] of browser.cookies) late.cookies.set(name, value);
  expect(await codeOf(await late.send("GET /api/users"))).toEqual([401, "session_ended"]);
  await third.stop();
});
