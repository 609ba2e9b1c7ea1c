import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "../src/testkit/browser.ts";
import { says } from "../src/testkit/clients.ts";
import { FORGERIES } from "../src/testkit/hostile/texts.ts";
import { liveRows } from "../src/testkit/liverows.ts";
import { PASSWORD, People } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { rawClient } from "../src/testkit/servers/tcp.ts";

setDefaultTimeout(90_000);

let program: Program;
let people: People;
let page: Browser;
beforeAll(async () => {
  program = await Program.start({
    ...{ mode: "balancer", untilReady: false, args: ["--access", "required"] },
    env: { LLMLB_ADMIN_PASSWORD: PASSWORD },
  });
  people = new People(program);
  page = await people.loggedIn();
});
afterAll(() => program?.stop());

/** A text changed a little, in many ways. */
function tampered(text: string): string[] {
  const other = (char: string) => (char === "a" ? "b" : "a");
  const places = [0, 1, 4, Math.floor(text.length / 2), text.length - 1];
  return [
    ...places.map((at) => text.slice(0, at) + other(text[at] ?? "") + text.slice(at + 1)),
    ...[text.slice(0, -1), text.slice(1), `${text}a`, `a${text}`, text + text, text.slice(0, 7)],
    ...[text.toUpperCase(), text.toLowerCase(), `${text}%00`, `${text}.`, `"${text}"`, ""],
    ...[text.replace(/^\w+_/, ""), "null", "undefined", "admin", "0", "[object Object]", "*"],
    ...["eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.", "x".repeat(8000)],
  ].filter((one) => one !== text);
}

const statusWith = async (headers: Record<string, string>) =>
  (await fetch(`${program.url}/api/users`, { headers })).status;

describe("what was changed stands for nobody", () => {
  test("the cookie of a log-in", async () => {
    const cookie = page.cookies.get("llmlb_session") ?? "";
    expect(await statusWith({ cookie: `llmlb_session=${cookie}` })).toBe(200);
    for (const one of tampered(cookie)) {
      expect([one, await statusWith({ cookie: `llmlb_session=${one}` })]).toEqual([one, 401]);
    }
    // Another name, and one that only https may have.
    for (const name of ["LLMLB_SESSION", "llmlb_session ", "__Host-llmlb_session", "session"]) {
      expect([name, await statusWith({ cookie: `${name}x=${cookie}` })]).toEqual([name, 401]);
    }
  });

  test("the token against other sites", async () => {
    const token = page.csrfToken ?? "";
    const other = await people.settled("mallory", "admin");
    for (const one of [...tampered(token), other.csrfToken ?? ""]) {
      page.csrfToken = one;
      const response = await page.send("POST /api/users", { username: "forged" });
      expect([one, response.status]).toEqual([one, 403]);
    }
    page.csrfToken = token;
    const { users } = (await (await page.send("GET /api/users")).json()) as { users: object[] };
    expect(users).not.toContainEqual(expect.objectContaining({ username: "forged" }));
  });

  test("a key, and the credential of this home", async () => {
    const made = await people.local("POST /api/keys", {
      ...{ name: "k", permissions: ["users.manage"] },
    });
    const { key } = (await made.json()) as { key: string };
    const local = readFileSync(join(program.home, "local.key"), "utf8").trim();
    for (const secret of [key, local]) {
      expect(await statusWith({ authorization: `Bearer ${secret}` })).toBe(200);
      for (const one of tampered(secret)) {
        expect([one, await statusWith({ authorization: `Bearer ${one}` })]).toEqual([one, 401]);
        expect([one, await statusWith({ "x-api-key": one })]).toEqual([one, 401]);
      }
    }
    // Two keys in one request: the one that was refused is not made good by the other.
    const two = { authorization: "Bearer wrong", "x-api-key": key };
    expect(await statusWith(two)).toBe(401);
  });

  test("a token for nodes, and a node's credential", async () => {
    const made = await people.local("POST /api/enrolment-tokens", {});
    const { token } = (await made.json()) as { token: string };
    const body = (one: string) => ({
      ...{ token: one, node_id: crypto.randomUUID(), name: "n", version: "1", port: 1 },
      ...{ url: "http://127.0.0.1:1", api_key: null },
    });
    for (const one of tampered(token)) {
      const response = await people.browser().send("POST /api/nodes", body(one));
      expect([one, [400, 401, 403].includes(response.status)]).toEqual([one, true]);
    }
    const nodes = `/api/nodes/${crypto.randomUUID()}/models`;
    const asked = await people.browser().send(`GET ${nodes}`, undefined, {
      authorization: `Bearer ${token}`,
    });
    expect(asked.status).toBe(401);
  });

  test("keys and log-ins are found by their hash, which nothing else tells", () => {
    const cookie = page.cookies.get("llmlb_session") ?? "";
    const file = join(program.home, "lb.db");
    const columns = [
      ["api_keys", "key_hash"],
      ["sessions", "token_hash"],
    ] as const;
    for (const [table, column] of columns) {
      const rows = liveRows<Record<string, unknown>>(file, `SELECT * FROM ${table}`);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) {
        // SHA-256 in base64url: what is compared has nothing to do with what was sent.
        expect(row[column]).toMatch(/^[\w-]{43}$/);
        expect(Object.values(row)).not.toContain(cookie);
      }
    }
  });
});

test("what is logged stays one line of text", async () => {
  const { host } = new URL(program.url);
  const raw = async (head: string) => {
    const client = await rawClient(program.url);
    client.send(`${head}\r\nconnection: close\r\n\r\n`);
    return client.closed;
  };
  for (const text of FORGERIES) {
    const coded = encodeURIComponent(text);
    await people.local(`GET /${coded}`);
    await people.local(`GET /v1/models/${coded}`);
    await people.local("POST /v1/chat/completions", { model: text, messages: says("hi") });
    await people.local("POST /api/auth/login", { username: `admin${text}`, password: text });
    await people.local("POST /api/users", { username: text });
    await people.local("POST /api/keys", { name: text, notes: text });
    const base_url = `http://127.0.0.1:1/${coded}`;
    await people.local("POST /api/endpoints", { name: text, base_url });
    const value = text.replace(/[\r\n\0]/g, "");
    const names = ["user-agent", "x-request-id", "x-forwarded-for", "authorization", "cookie"];
    for (const name of names) await raw(`GET /v1/a HTTP/1.1\r\nhost: ${host}\r\n${name}: ${value}`);
    await raw(`GET /v1/models HTTP/1.1\r\nhost: ${value}`);
  }
  const log = readFileSync(join(program.home, "logs", "llmlb.log"), "utf8");
  const lines = log.split("\n").filter((line) => line !== "");
  const events = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(events).not.toContain("forged.line");
  expect(events.filter((event) => event === "http.request").length).toBeGreaterThan(20);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not occur
  expect(log.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/)).toBeNull();
});
