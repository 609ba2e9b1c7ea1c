import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "../src/testkit/browser.ts";
import { PASSWORD, refusedWith } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { InvitationList, MadeInvitationAnswer } from "../src/wire/invitation.ts";
import { LoginAnswer } from "../src/wire/login.ts";

setDefaultTimeout(60_000);

let program: Program;
let admin: Browser;
beforeAll(async () => {
  program = await Program.start({
    ...{ mode: "balancer", untilReady: false, args: ["--access", "required"] },
    env: { LLMLB_ADMIN_PASSWORD: PASSWORD },
  });
  admin = new Browser(program.url);
  await admin.logIn("admin", PASSWORD);
});
afterAll(() => program?.stop());

async function invite(body: object = {}): Promise<MadeInvitationAnswer> {
  const made = await admin.send("POST /api/invitations", body);
  expect(made.status).toBe(201);
  return MadeInvitationAnswer.parse(await made.json());
}

async function statusIn(id: string): Promise<string | undefined> {
  const list = await (await admin.send("GET /api/invitations")).json();
  return InvitationList.parse(list).invitations.find((one) => one.id === id)?.status;
}

function register(code: string, username: string, password = PASSWORD): Promise<Response> {
  const body = { invitation_code: code, username, password };
  return new Browser(program.url).send("POST /api/auth/register", body);
}

test("an invitation makes one account, which is logged in", async () => {
  const { id, code, ...made } = await invite({ note: "for Ann" });
  expect(code).toMatch(/^inv_\w{24}$/);
  expect(made).toMatchObject({ role: "viewer", status: "active", created_by: "admin" });
  const hours = (Date.parse(made.expires_at) - Date.parse(made.created_at)) / 3_600_000;
  expect(hours).toBeCloseTo(72, 1);
  const ann = new Browser(program.url);
  const body = { invitation_code: code, username: "ann", password: PASSWORD };
  const response = await ann.send("POST /api/auth/register", body);
  expect(response.status).toBe(201);
  const { user } = LoginAnswer.parse(await response.json());
  expect(user).toMatchObject({ username: "ann", role: "viewer", must_change_password: false });
  expect((await ann.send("GET /v1/models")).status).toBe(200);
  expect((await ann.send("GET /api/users")).status).toBe(403);
  expect(await statusIn(id)).toBe("used");
  expect(await refusedWith(await register(code, "bob"))).toEqual([400, "invitation_used"]);
  expect(readFileSync(join(program.home, "lb.db"), "latin1")).not.toContain(code);
});

test("of many who use it at the same time, one gets in", async () => {
  const { code } = await invite();
  const names = ["r1", "r2", "r3", "r4", "r5"];
  const answers = await Promise.all(names.map((name) => register(code, name)));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 400, 400, 400, 400]);
  const users = await (await admin.send("GET /api/users")).text();
  expect(names.filter((name) => users.includes(`"${name}"`))).toHaveLength(1);
});

test("a mistake does not use it up", async () => {
  const { id, code } = await invite();
  expect((await register(code, "ADMIN")).status).toBe(409);
  expect((await register(code, "short", "short")).status).toBe(400);
  expect((await register(code, "two\nlines")).status).toBe(400);
  expect(await statusIn(id)).toBe("active");
  expect((await register(code, "careful")).status).toBe(201);
});

test("it is of no use once it is revoked or expired, nor if nobody made it", async () => {
  const revoked = await invite();
  expect((await admin.send(`DELETE /api/invitations/${revoked.id}`)).status).toBe(204);
  expect(await statusIn(revoked.id)).toBe("revoked");
  expect(await refusedWith(await register(revoked.code, "x"))).toEqual([400, "invitation_revoked"]);
  const expired = await invite();
  using db = new Database(join(program.home, "lb.db"));
  db.run("UPDATE invitations SET expires_at = ? WHERE id = ?", [Date.now() - 1, expired.id]);
  expect(await statusIn(expired.id)).toBe("expired");
  expect(await refusedWith(await register(expired.code, "x"))).toEqual([400, "invitation_expired"]);
  expect(await refusedWith(await register("inv_none", "x"))).toEqual([400, "invitation_unknown"]);
  expect((await admin.send("DELETE /api/invitations/none")).status).toBe(404);
});

test("nobody invites somebody who may do more than himself", async () => {
  const fields = { name: "inviter", permissions: ["invitations.manage"] };
  const { key } = (await (await admin.send("POST /api/keys", fields)).json()) as { key: string };
  const send = (role: string) =>
    new Browser(program.url).send("POST /api/invitations", { role }, { "x-api-key": key });
  expect((await send("viewer")).status).toBe(201);
  expect(await refusedWith(await send("admin"))).toEqual([403, "insufficient_permissions"]);
  const { code } = await invite({ role: "admin" });
  const response = await register(code, "chief");
  expect(LoginAnswer.parse(await response.json()).user.role).toBe("admin");
});

test("the older API makes the account alone", async () => {
  const made = await admin.send("POST /v0/invitations", { expires_in_hours: 1 });
  const { code } = MadeInvitationAnswer.parse(await made.json());
  const body = { invitation_code: code, username: "old", password: PASSWORD };
  const response = await new Browser(program.url).send("POST /v0/auth/register", body);
  expect(response.status).toBe(201);
  expect(response.headers.getSetCookie()).toEqual([]);
  expect(await response.json()).toMatchObject({ username: "old", role: "viewer" });
});
