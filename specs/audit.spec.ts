import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { until } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { AuditPage, type AuditRecordView } from "../src/wire/audit.ts";

setDefaultTimeout(60_000);

const PASSWORD = "correct horse";
const START = {
  mode: "balancer" as const,
  untilReady: false,
  args: ["--access", "required"],
  env: { LLMLB_ADMIN_PASSWORD: PASSWORD },
};

const home = temporaryHome();
afterAll(() => home[Symbol.dispose]());
const run = (...args: string[]) => runProgram(args, { home: home.path });

async function records(...args: string[]): Promise<AuditRecordView[]> {
  const { stdout } = await run("audit", "list", "--limit", "100", "--json", ...args);
  return AuditPage.parse(JSON.parse(stdout)).records;
}

function sql(statement: string): void {
  const db = new Database(join(home.path, "audit.db"));
  db.run(statement);
  db.close();
}

describe("a llmlb that runs", () => {
  let program: Program;
  beforeAll(async () => {
    program = await Program.start({ ...START, home: home.path });
  });
  afterAll(() => program.stop());

  const logIn = (username: string, password: string) =>
    fetch(`${program.url}/api/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username, password }),
    });

  test("keeps book of what commands change, and of which fields", async () => {
    expect((await run("user", "add", "eve")).code).toBe(0);
    const key = await run("key", "add", "ci", "--user", "eve");
    expect((await run("key", "set", "ci", "--notes", "of the build")).code).toBe(0);
    expect((await run("key", "revoke", "ci")).code).toBe(0);
    const told = (await records("--action", "change")).map((one) => [one.route, one.subject]);
    expect(told).toEqual([
      ["POST /api/keys/:id/revoke", "ci"],
      ["PATCH /api/keys/:id", "ci"],
      ["POST /api/keys", "ci"],
      ["POST /api/users", "eve"],
    ]);
    const [changed] = await records("--route", "PATCH /api/keys/:id");
    expect(changed).toMatchObject({ actor_kind: "local", details: { changed: ["notes"] } });
    expect(JSON.stringify(await records())).not.toContain(key.stdout.trim());
  });

  test("and of what is changed over the network, by whom, and who was kept out", async () => {
    const { csrf_token } = (await (await logIn("admin", PASSWORD)).json()) as {
      csrf_token: string;
    };
    expect(csrf_token).toBeString();
    expect((await logIn("admin", "wrong")).status).toBe(401);
    const made = await run("key", "add", "ops", "--permissions", "models.manage,api_keys.manage");
    const headers = {
      authorization: `Bearer ${made.stdout.trim()}`,
      "content-type": "application/json",
    };
    const url = `${program.url}/api/prices/gpt-*`;
    const body = JSON.stringify({ input_per_million: 1, output_per_million: 2 });
    expect((await fetch(url, { method: "PUT", headers, body })).ok).toBe(true);
    expect((await fetch(`${program.url}/api/users`, { headers })).status).toBe(403);
    await until(async () => (await records("--action", "refused")).length > 0, 10_000);

    expect(await records("--action", "login")).toMatchObject([{ user_name: "admin" }]);
    expect(await records("--action", "login_failed")).toMatchObject([
      { user_name: "admin", status: 401, address: "127.0.0.1" },
    ]);
    expect(await records("--actor", "ops", "--action", "change")).toMatchObject([
      { key_name: "ops", route: "PUT /api/prices/:model", status: 200 },
    ]);
    expect(await records("--action", "refused")).toMatchObject([
      { key_name: "ops", route: "GET /api/users", details: { code: "insufficient_permissions" } },
    ]);
  });

  test("shows it to people, and writes it as CSV", async () => {
    const shown = await run("audit", "list");
    expect(shown.stdout).toContain("POST /api/users  eve");
    expect(shown.stdout).toContain("login_failed 401");
    const csv = await run("audit", "list", "--export", "csv");
    expect(csv.stdout).toStartWith("seq,time,action,route");
  });

  test("says that nothing was touched, and what was", async () => {
    const whole = await run("audit", "verify");
    expect([whole.code, whole.stdout]).toEqual([0, expect.stringContaining("is whole")]);
    sql("UPDATE audit_records SET subject = 'mallory' WHERE subject = 'eve'");
    const touched = await run("audit", "verify");
    expect([touched.code, touched.stdout]).toEqual([1, expect.stringContaining("Record 2 ")]);
    sql("UPDATE audit_records SET subject = 'eve' WHERE subject = 'mallory'");
    expect((await run("audit", "verify")).code).toBe(0);
  });
});

describe("one that is stopped", () => {
  const verify = async (...args: string[]) => {
    const { code, stdout } = await run("audit", "verify", "--json", ...args);
    return { code, ...JSON.parse(stdout) };
  };

  test("can be checked as well, over its restarts", async () => {
    const before = await verify();
    expect(before).toMatchObject({ code: 0, valid: true });
    const program = await Program.start({ ...START, home: home.path });
    await program.kill();
    const since = `${before.head.seq}:${before.head.mac}`;
    expect(await verify("--since", since)).toMatchObject({ code: 0, valid: true });
    expect((await verify()).records_checked).toBeGreaterThan(before.records_checked);
  });

  test("records that are deleted, cut off or put in are named", async () => {
    const { head } = await verify();
    sql("CREATE TABLE kept AS SELECT * FROM audit_records");
    const attacks: [string, number][] = [
      ["DELETE FROM audit_records WHERE seq = 3", 3],
      [`DELETE FROM audit_records WHERE seq > ${head.seq - 2}`, head.seq - 1],
      ["UPDATE audit_records SET status = 403 WHERE seq = 4", 4],
      [
        `INSERT INTO audit_records SELECT ${head.seq + 1}, time, action, route, path, subject,
          details, actor_kind, user_id, user_name, key_id, key_name, address, status, request_id,
          count, mac FROM audit_records WHERE seq = 5`,
        head.seq + 1,
      ],
    ];
    for (const [attack, seq] of attacks) {
      sql(attack);
      expect([attack, await verify()]).toMatchObject([
        attack,
        { code: 1, valid: false, first_bad: seq },
      ]);
      sql("DELETE FROM audit_records");
      sql("INSERT INTO audit_records SELECT * FROM kept");
    }
    expect(await verify()).toMatchObject({ valid: true });
  });

  test("an older log that is put back is found by what verify told before", async () => {
    const { head } = await verify();
    const old = readFileSync(join(home.path, "audit.head"));
    const program = await Program.start({ ...START, home: home.path });
    await program.stop();
    const later = await verify();
    sql(`DELETE FROM audit_records WHERE seq > ${head.seq}`);
    writeFileSync(join(home.path, "audit.head"), old);
    expect(await verify()).toMatchObject({ valid: true });
    const since = `${later.head.seq}:${later.head.mac}`;
    expect(await verify("--since", since)).toMatchObject({ code: 1, first_bad: head.seq + 1 });
  });

  test("only its owner can read the files", () => {
    for (const name of ["audit.db", "audit.head", "secret.key"]) {
      expect(statSync(join(home.path, name)).mode & 0o077).toBe(0);
    }
  });
});

test("a change that a killed llmlb had begun is recorded at the next start", async () => {
  using own = temporaryHome();
  const first = await Program.start({ ...START, home: own.path });
  await first.stop();
  const db = new Database(join(own.path, "audit.db"));
  const event = db
    .query("SELECT * FROM audit_records WHERE action = 'system' LIMIT 1")
    .get() as Record<string, unknown>;
  const begun = {
    ...{ time: event.time, action: "change", route: "DELETE /api/users/:id", path: "/api/users/1" },
    ...{ subject: null, details: null, actorKind: "local", userId: null, userName: null },
    ...{ keyId: null, keyName: null, address: "127.0.0.1", status: null, requestId: "r" },
    count: 1,
  };
  db.run("INSERT INTO audit_begun VALUES ('1', ?)", [JSON.stringify(begun)]);
  db.close();
  const second = await Program.start({ ...START, home: own.path });
  const { stdout } = await runProgram(["audit", "list", "--json"], { home: own.path });
  expect(AuditPage.parse(JSON.parse(stdout)).records).toContainEqual(
    expect.objectContaining({ action: "interrupted", route: "DELETE /api/users/:id" }),
  );
  await second.stop();
});

test("a damaged file stops nothing; it is told, and so is each event", async () => {
  using own = temporaryHome();
  writeFileSync(join(own.path, "audit.db"), "x".repeat(5000));
  const program = await Program.start({ ...START, home: own.path });
  const at = (...args: string[]) => runProgram(args, { home: own.path });
  expect((await at("user", "add", "eve")).code).toBe(0);
  const verified = await at("audit", "verify");
  expect([verified.code, verified.stderr]).toEqual([1, expect.stringContaining("audit log")]);
  const log = readFileSync(join(own.path, "logs", "llmlb.log"), "utf8");
  expect(log).toContain("audit.unavailable");
  expect(log).toMatch(/"route":"POST \/api\/users".*"audit\.not_written"/);
  await program.stop();
});
