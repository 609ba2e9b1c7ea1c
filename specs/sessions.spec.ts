import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Browser } from "../src/testkit/browser.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { PASSWORD, People, refusedWith } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { fakeEndpoint } from "../src/testkit/servers/endpoint.ts";
import { LoginAnswer, MeAnswer, SessionList } from "../src/wire/login.ts";

setDefaultTimeout(60_000);

const OPTIONS = {
  mode: "balancer",
  untilReady: false,
  env: { LLMLB_ADMIN_PASSWORD: PASSWORD },
} as const;
const REQUIRED = ["--access", "required"];
const PROXIED = [...REQUIRED, "--trusted-proxies", "127.0.0.1"];

let program: Program;
let people: People;
beforeAll(async () => {
  program = await Program.start({ ...OPTIONS, args: PROXIED });
  people = new People(program);
});
afterAll(() => program?.stop());

/** The address of another client, as the proxy in front tells it. */
const from = (address: string) => ({ "x-forwarded-for": address });

const statusOf = async (browser: Browser, route = "GET /v1/models") =>
  (await browser.send(route)).status;
describe("a log-in", () => {
  test("begins with name and password, and ends with the log-out", async () => {
    const browser = people.browser();
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
      await people.browser().logIn("admin", PASSWORD)
    ).headers.getSetCookie();
    expect(session).toMatch(
      /^llmlb_session=ses_[\w-]{43}; Path=\/; Max-Age=2592000; SameSite=Lax; HttpOnly$/,
    );
    expect(csrf).toMatch(/^llmlb_csrf=[\w-]{43}; Path=\/; Max-Age=2592000; SameSite=Lax$/);
    const https = { "x-forwarded-proto": "https" };
    const secure = people.browser();
    const body = { username: "admin", password: PASSWORD };
    const answer = await secure.send("POST /api/auth/login", body, https);
    for (const cookie of answer.headers.getSetCookie()) expect(cookie).toContain("; Secure");
    expect([...secure.cookies.keys()]).toEqual(["__Host-llmlb_session", "llmlb_csrf"]);
    expect((await secure.send("GET /api/users", undefined, https)).status).toBe(200);
    expect((await secure.send("GET /api/users")).status).toBe(401);
  });

  test("has a new token, whatever cookie was there before", async () => {
    const browser = await people.loggedIn();
    const first = browser.cookies.get("llmlb_session") ?? "";
    const planted = people.browser();
    planted.cookies.set("llmlb_session", first);
    await planted.logIn("admin", PASSWORD);
    expect(planted.cookies.get("llmlb_session")).not.toBe(first);
    const made = `ses_${"A".repeat(43)}`;
    planted.cookies.set("llmlb_session", made);
    await planted.logIn("admin", PASSWORD);
    expect(planted.cookies.get("llmlb_session")).not.toBe(made);
  });

  test("is nobody's with a token that was changed", async () => {
    const browser = await people.loggedIn();
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
    expect(await refusedWith(await browser.send("GET /v1/models"))).toEqual([401, "session_ended"]);
  });

  test("changes nothing without the token that only its own pages know", async () => {
    const browser = await people.loggedIn();
    const other = await people.loggedIn();
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
      expect(await refusedWith(await browser.send("POST /api/keys", make))).toEqual([
        403,
        "csrf_failed",
      ]);
      expect(await statusOf(browser, "GET /api/keys")).toBe(200);
    }
    browser.csrfToken = right;
    const evil = { origin: "https://evil.example" };
    expect(await refusedWith(await browser.send("POST /api/keys", make, evil))).toEqual([
      403,
      "origin_not_allowed",
    ]);
    expect((await browser.send("POST /api/keys", make)).status).toBe(201);
  });

  test("works behind a proxy that asks for a password of its own", async () => {
    const browser = await people.loggedIn();
    const basic = { authorization: `Basic ${btoa("proxy:its own")}` };
    expect((await browser.send("POST /api/keys", { name: "basic" }, basic)).status).toBe(201);
    const me = await browser.send("GET /api/auth/me", undefined, basic);
    expect(await me.json()).toMatchObject({ kind: "session", csrf_token: browser.csrfToken });
    browser.csrfToken = undefined;
    const forged = await browser.send("POST /api/keys", { name: "forged" }, basic);
    expect(await refusedWith(forged)).toEqual([403, "csrf_failed"]);
    expect((await people.browser().send("GET /api/keys", undefined, basic)).status).toBe(401);
  });

  test("that ends in the middle of an answer lets it go on, and nothing after", async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const chunk = (text: string) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
    using endpoint = fakeEndpoint(["slow"], () => {
      const stream = new ReadableStream<string>({
        async start(controller) {
          controller.enqueue(chunk("first"));
          await ended;
          controller.enqueue(`${chunk("last")}data: [DONE]\n\n`);
          controller.close();
        },
      });
      const headers = { "content-type": "text/event-stream" };
      return new Response(stream.pipeThrough(new TextEncoderStream()), { headers });
    });
    await people.local("POST /api/endpoints", { name: "slow", base_url: endpoint.url });
    const browser = await people.loggedIn();
    const chat = { model: "slow", stream: true, messages: [{ role: "user", content: "?" }] };
    const answer = await browser.send("POST /v1/chat/completions", chat);
    expect(answer.status).toBe(200);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain("first");
    expect((await browser.send("POST /api/auth/logout")).status).toBe(204);
    expect((await browser.send("POST /v1/chat/completions", chat)).status).toBe(401);
    end();
    expect((await reader?.read())?.value).toContain("last");
    const [sent] = endpoint.requests;
    expect(sent?.headers.has("cookie")).toBeFalse();
    expect(sent?.headers.has("x-csrf-token")).toBeFalse();
  });

  test("is told nothing of which was wrong, name or password", async () => {
    const answers = [];
    for (const [name, password] of [
      ["admin", "wrong"],
      ["nobody", PASSWORD],
      ["nobody", ""],
    ]) {
      const browser = people.browser();
      const body = { username: name, password };
      const response = await browser.send("POST /api/auth/login", body, from("198.51.100.1"));
      answers.push([response.status, (await response.json()) as object, [...browser.cookies]]);
    }
    expect(answers[1]).toEqual(answers[0] ?? []);
    expect(answers[2]).toEqual(answers[0] ?? []);
    expect(answers[0]?.[0]).toBe(401);
  });

  test("of the older API is a token for Authorization", async () => {
    const browser = people.browser();
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
    const admin = await people.loggedIn();
    const first = await people.settled("lister");
    const second = await people.loggedIn("lister", PASSWORD);
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
    expect(await refusedWith(await second.send("GET /v1/models"))).toEqual([401, "session_ended"]);
  });

  test("all of a user when he is demoted or removed, not when he is promoted", async () => {
    const browser = await people.settled("climber");
    const change = (role: string) => people.local("PATCH /api/users/climber", { role });
    await change("admin");
    expect(await statusOf(browser, "GET /api/users")).toBe(200);
    await change("viewer");
    expect(await statusOf(browser)).toBe(401);
    const again = await people.loggedIn("climber", PASSWORD);
    expect(await statusOf(again, "GET /api/users")).toBe(403);
    expect((await people.local("DELETE /api/users/climber")).status).toBe(204);
    expect(await statusOf(again)).toBe(401);
  });

  test("all of a user when he is disabled, with his keys, until he is enabled", async () => {
    const browser = await people.settled("absent");
    const made = await people.local("POST /api/keys", { name: "bot", user: "absent" });
    const key = { authorization: `Bearer ${((await made.json()) as { key: string }).key}` };
    const byKey = () => people.browser().send("GET /v1/models", undefined, key);
    expect((await byKey()).status).toBe(200);
    const disable = (disabled: boolean, name = "absent") =>
      people.local(`PATCH /api/users/${name}`, { disabled });
    expect(await (await disable(true)).json()).toMatchObject({ disabled: true, keys: 1 });
    expect(await statusOf(browser)).toBe(401);
    const refused = await byKey();
    expect([refused.status, await refused.text()]).toEqual([
      401,
      expect.stringContaining("the account that this key belongs to is disabled"),
    ]);
    const logIn = () => people.browser().logIn("absent", PASSWORD);
    expect(await refusedWith(await logIn())).toEqual([403, "account_disabled"]);
    await disable(false);
    expect((await logIn()).status).toBe(200);
    expect((await byKey()).status).toBe(200);
    expect(await statusOf(browser)).toBe(401);
    await people.create("second", "admin");
    expect((await disable(true, "second")).status).toBe(200);
    expect(await refusedWith(await disable(true, "admin"))).toEqual([409, "last_admin"]);
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
    expect(await refusedWith(await later.logIn("admin", PASSWORD))).toEqual([409, "access_off"]);
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
  expect(await refusedWith(await late.send("GET /api/users"))).toEqual([401, "session_ended"]);
  await third.stop();
});
