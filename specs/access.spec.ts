import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { TINY } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(60_000);

const ADMIN = { LLMLB_ADMIN_PASSWORD: "correct horse" };

describe("with access control", () => {
  let program: Program;
  beforeAll(async () => {
    program = await Program.start({ args: ["--access", "required"], env: ADMIN });
  });
  afterAll(() => program.stop());

  const ask = (path: string, init: RequestInit = {}) => fetch(program.url + path, init);
  const body = JSON.stringify({
    model: TINY,
    max_tokens: 4,
    messages: [{ role: "user", content: "Hello" }],
  });
  const chat = (headers: Record<string, string>, query = "") =>
    ask(`/v1/chat/completions${query}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });

  async function local(path: string, init: RequestInit = {}): Promise<Response> {
    const key = readFileSync(join(program.home, "local.key"), "utf8").trim();
    return ask(path, { ...init, headers: { authorization: `Bearer ${key}` } });
  }

  async function newKey(fields: object): Promise<{ id: string; key: string }> {
    const made = await local("/api/keys", { method: "POST", body: JSON.stringify(fields) });
    expect(made.status).toBe(201);
    return made.json() as Promise<{ id: string; key: string }>;
  }

  test("nobody gets in without a key, except to see whether it lives", async () => {
    expect((await ask("/health")).status).toBe(200);
    for (const path of ["/v1/models", "/api/tags", "/api/endpoints", "/api/users"]) {
      expect([path, (await ask(path)).status]).toEqual([path, 401]);
    }
    const refused = await chat({});
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ error: { code: "missing_api_key" } });
  });

  test("commands of the same home work, those of another do not", async () => {
    const status = await runProgram(["status"], { home: program.home });
    expect(status.code).toBe(0);
    using other = temporaryHome();
    const refused = await runProgram(["endpoint", "list", "--url", program.url], {
      home: other.path,
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("A key is needed");
    expect(refused.stderr).toContain("--api-key");
  });

  test("a key works however clients send it", async () => {
    const { key } = await newKey({ name: "ways" });
    const ways: [Record<string, string>, string?][] = [
      [{ authorization: `Bearer ${key}` }],
      [{ "x-api-key": key }],
      [{ "x-goog-api-key": key }],
      [{ "api-key": key }],
      [{ authorization: `Basic ${btoa(`:${key}`)}` }],
      [{}, `?key=${key}`],
    ];
    for (const [headers, query] of ways) expect((await chat(headers, query)).status).toBe(200);
  });

  test("an operator manages users and keys by commands", async () => {
    const run = (...args: string[]) => runProgram(args, { home: program.home });
    const added = await run("user", "add", "eve");
    expect([added.code, added.stdout]).toEqual([0, expect.stringMatching(/^\w{16}\n$/)]);
    const made = await run(
      "key",
      "add",
      "ci",
      "--user",
      "eve",
      "--models",
      "llmlb-*",
      "--expires",
      "9d",
    );
    expect(made.stdout).toMatch(/^sk_\w{32}\n$/);
    const key = made.stdout.trim();
    expect((await chat({ "x-api-key": key })).status).toBe(200);
    const list = await run("key", "list");
    expect(list.stdout).toMatch(new RegExp(`ci +${key.slice(0, 7)}…`));
    expect(list.stdout).not.toContain(key);
    const set = await run("key", "set", "ci", "--models", "other", "--concurrent", "2");
    expect(set.stdout).toContain("2 requests at a time");
    expect((await chat({ "x-api-key": key })).status).toBe(403);
    expect((await run("key", "set", "ci")).code).toBe(2);
    expect((await run("key", "set", "ci", "--priority", "highest")).code).toBe(2);
    const rotated = (await run("key", "rotate", "ci")).stdout.trim();
    expect((await chat({ "x-api-key": key })).status).toBe(401);
    expect((await run("key", "set", "ci", "--models", "all")).code).toBe(0);
    expect((await chat({ "x-api-key": rotated })).status).toBe(200);
    expect((await run("key", "revoke", "ci")).stdout).toContain("Revoked ci");
    expect((await chat({ "x-api-key": rotated })).status).toBe(401);
    expect((await run("user", "disable", "eve")).code).toBe(0);
    expect((await run("user", "list")).stdout).toMatch(/eve +viewer, disabled/);
    expect((await run("user", "enable", "eve")).code).toBe(0);
    expect((await run("user", "rm", "eve")).code).toBe(0);
    expect((await run("user", "rm", "admin")).stderr).toContain("the last admin");
    expect((await run("key", "show", "ci")).stderr).toContain("There is no key ci");
  });

  test("llmlb invite lets one person make an account", async () => {
    const run = (...args: string[]) => runProgram(args, { home: program.home });
    const made = await run("invite", "--note", "for bob", "--expires", "1h");
    expect(made.stdout).toMatch(/^inv_\w+\n$/);
    const register = (username: string) =>
      ask("/api/auth/register", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          ...{ invitation_code: made.stdout.trim(), username, password: "correct horse" },
        }),
      });
    expect((await register("bob")).status).toBe(201);
    expect((await register("carol")).ok).toBe(false);
    expect((await run("invite", "--list")).stdout).toMatch(/used +viewer +bob/);
    expect((await run("user", "list")).stdout).toContain("bob");
  });

  test("llmlb login keeps a key for commands of another home", async () => {
    using other = temporaryHome();
    const { key } = await newKey({ name: "remote", permissions: ["endpoints.read"] });
    const env = { LLMLB_PORT: "1" };
    const run = (args: string[], stdin = "") => runProgram(args, { home: other.path, stdin, env });
    const refused = await run(["login", program.url], "sk_wrong\n");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("refused the key")]);
    expect((await run(["login", program.url], `${key}\n`)).code).toBe(0);
    expect(statSync(join(other.path, "login.json")).mode & 0o777).toBe(0o600);
    expect((await run(["endpoint", "list"])).stdout).toContain("local");
    expect((await run(["user", "list"])).stderr).toContain("lacks the permission users.manage");
    expect((await run(["logout"])).code).toBe(0);
    expect((await run(["endpoint", "list"])).code).toBe(3);
  });

  test("what proves somebody is kept as nobody can read it", async () => {
    const { key } = await newKey({ name: "kept" });
    await chat({ authorization: `Bearer ${key}` });
    const secrets = [key, ADMIN.LLMLB_ADMIN_PASSWORD];
    expect(statSync(join(program.home, "local.key")).mode & 0o777).toBe(0o600);
    const files = readdirSync(program.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "local.key")
      .map((entry) => join(entry.parentPath, entry.name));
    for (const file of files) {
      const text = readFileSync(file, "latin1");
      for (const secret of secrets) expect([file, text.includes(secret)]).toEqual([file, false]);
    }
  });
});

test("the first start prints what it made, once, and no log has it", async () => {
  using home = temporaryHome();
  const first = await Program.start({
    home: home.path,
    mode: "balancer",
    args: ["--access", "required"],
    untilReady: false,
  });
  const printed = await eventually(() => {
    const found = /Password +(\S+)[\s\S]*API key +(sk_\w{32})/.exec(first.printed);
    return found ?? undefined;
  }, 5000);
  const [, password = "", key = ""] = printed;
  expect(password).toHaveLength(20);
  const asked = await fetch(`${first.url}/v1/models`, { headers: { "x-api-key": key } });
  expect(asked.status).toBe(200);
  await first.stop();
  const log = readFileSync(join(home.path, "logs", "llmlb.log"), "utf8");
  expect(log).not.toContain(password);
  expect(log).not.toContain(key);
  const second = await Program.start({
    home: home.path,
    mode: "balancer",
    args: ["--access", "required"],
    untilReady: false,
  });
  const again = await fetch(`${second.url}/v1/models`, { headers: { "x-api-key": key } });
  expect(again.status).toBe(200);
  await second.stop();
  expect(second.printed).not.toContain("Password");
});
