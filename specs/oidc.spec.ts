import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "../src/testkit/browser.ts";
import { PASSWORD, refusedWith } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { OidcServer } from "../src/testkit/servers/oidcprovider.ts";
import { MeAnswer, SessionList } from "../src/wire/login.ts";

setDefaultTimeout(60_000);

const ROLES = ["--oidc-role-claim", "groups", "--oidc-admin-values", "ops,chiefs"];
const CALLBACK = "/api/auth/oidc/callback";

let provider: OidcServer;
let program: Program;
beforeAll(async () => {
  provider = await OidcServer.listen({
    ann: { preferred_username: "ann", groups: ["chiefs", "staff"] },
    bob: { preferred_username: "Bob\u202e", groups: ["staff"] },
    carl: {},
    eve: { preferred_username: "ADMIN" },
  });
  program = await Program.start({
    ...{ mode: "balancer", untilReady: false },
    args: ["--access", "required", ...provider.args, ...ROLES],
    env: { LLMLB_ADMIN_PASSWORD: PASSWORD, LLMLB_OIDC_CLIENT_SECRET: provider.secret },
  });
  provider.serve(program.url + CALLBACK);
});
afterAll(async () => {
  await program?.stop();
  await provider?.[Symbol.asyncDispose]();
});

/** Goes to the provider and back; returns the last step, which is not taken yet. */
async function leave(browser: Browser, name: string): Promise<string> {
  const begun = await browser.send("GET /api/auth/oidc/login");
  expect(begun.status).toBe(302);
  const back = await provider.visit(begun.headers.get("location") ?? "", name);
  expect(back).toStartWith(program.url + CALLBACK);
  return back.slice(program.url.length);
}

async function loggedIn(name: string) {
  const browser = new Browser(program.url);
  const done = await browser.send(`GET ${await leave(browser, name)}`);
  expect([done.status, done.headers.get("location")]).toEqual([302, "/dashboard"]);
  const response = await browser.send("GET /api/auth/me");
  await browser.learn(response);
  const me = MeAnswer.parse(await response.json());
  if (me.access === "off" || me.user === null) throw new Error("Nobody has logged in.");
  return { browser, me, user: me.user };
}

test("the first log-in makes the account, and it is a log-in like others", async () => {
  const { browser, me, user } = await loggedIn("ann");
  expect(user).toMatchObject({ username: "ann", role: "admin", must_change_password: false });
  expect(me).toMatchObject({ kind: "session", oidc: true });
  expect([...browser.cookies.keys()]).toEqual(["llmlb_session", "llmlb_csrf"]);
  expect((await browser.send("POST /api/keys", { name: "of ann" })).status).toBe(201);
  expect((await loggedIn("ann")).user.id).toBe(user.id);
  const withPassword = await new Browser(program.url).logIn("ann", "any");
  expect(withPassword.status).toBe(401);
});

test("two first log-ins at once make one account", async () => {
  const browsers = [new Browser(program.url), new Browser(program.url)];
  const backs = await Promise.all(browsers.map((browser) => leave(browser, "carl")));
  const done = await Promise.all(browsers.map((browser, i) => browser.send(`GET ${backs[i]}`)));
  expect(done.map(({ status }) => status)).toEqual([302, 302]);
  const { browser, user } = await loggedIn("carl");
  const list = await browser.send("GET /api/auth/sessions");
  expect(SessionList.parse(await list.json()).sessions).toHaveLength(3);
  expect(user.username).toBe("carl");
});

test("the role follows the claim at each log-in", async () => {
  const { browser, user } = await loggedIn("bob");
  expect(user).toMatchObject({ username: "Bob", role: "viewer" });
  expect((await browser.send("GET /api/users")).status).toBe(403);
  provider.users.bob = { ...provider.users.bob, groups: ["ops"] };
  const promoted = await loggedIn("bob");
  expect(promoted.user).toMatchObject({ id: user.id, role: "admin" });
  provider.users.bob = { ...provider.users.bob, groups: [] };
  expect((await loggedIn("bob")).user.role).toBe("viewer");
  expect((await promoted.browser.send("GET /v1/models")).status).toBe(401);
});

test("the last admin stays one, whatever the provider says", async () => {
  const { browser, me } = await loggedIn("ann");
  expect(me.role).toBe("admin");
  expect((await browser.send("DELETE /api/users/admin")).status).toBe(204);
  provider.users.ann = { ...provider.users.ann, groups: [] };
  expect((await loggedIn("ann")).user.role).toBe("admin");
  const again = { username: "admin", role: "admin", password: PASSWORD };
  expect((await browser.send("POST /api/users", again)).status).toBe(201);
  expect((await loggedIn("ann")).user.role).toBe("viewer");
});

test("nobody becomes somebody else by his name", async () => {
  const { user } = await loggedIn("eve");
  expect(user).toMatchObject({ username: "ADMIN-2", role: "viewer" });
});

test("only the browser that began can end it, once", async () => {
  const browser = new Browser(program.url);
  const back = await leave(browser, "ann");
  const other = new Browser(program.url);
  const refused: [number, string] = [401, "oidc_refused"];
  expect(await refusedWith(await other.send(`GET ${back}`))).toEqual(refused);
  await other.send("GET /api/auth/oidc/login");
  expect(await refusedWith(await other.send(`GET ${back}`))).toEqual(refused);
  for (const cookie of ["x", "a.9999999999999.b", `${browser.cookies.get("llmlb_oidc")}x`]) {
    other.cookies.set("llmlb_oidc", cookie);
    expect(await refusedWith(await other.send(`GET ${back}`))).toEqual(refused);
  }
  const flow = browser.cookies.get("llmlb_oidc") ?? "";
  const forged = back.replace(/state=[^&]+/, "state=x");
  expect(await refusedWith(await browser.send(`GET ${forged}`))).toEqual(refused);
  expect((await browser.send(`GET ${back}`)).status).toBe(302);
  browser.cookies.set("llmlb_oidc", flow);
  expect(await refusedWith(await browser.send(`GET ${back}`))).toEqual(refused);
  expect(await refusedWith(await browser.send(`GET ${CALLBACK}`))).toEqual(refused);
});

test("who says no at the provider is told so", async () => {
  const browser = new Browser(program.url);
  const begun = await browser.send("GET /api/auth/oidc/login");
  const state = new URL(begun.headers.get("location") ?? "").searchParams.get("state");
  const query = new URLSearchParams({
    ...{ error: "access_denied", error_description: "End-User aborted", state: state ?? "" },
    iss: provider.issuer,
  });
  const response = await browser.send(`GET ${CALLBACK}?${query}`);
  expect(response.status).toBe(401);
  expect(await response.text()).toContain("End-User aborted");
});

test("a browser whose log-in failed gets the log-in page, which knows why", async () => {
  const browser = new Browser(program.url);
  const response = await browser.send(`GET ${CALLBACK}?error=x%3Cb%3E`, undefined, {
    accept: "text/html,application/xhtml+xml",
  });
  expect(response.status).toBe(401);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await response.text()).toContain('http-equiv="refresh" content="0; url=/dashboard"');
  const reason = decodeURIComponent(browser.cookies.get("llmlb_login_failure") ?? "");
  expect(reason).toStartWith("Logging in failed: this browser did not begin it");
});

test("the secret of the client is in no file, and a provider that is gone is told", async () => {
  const files = readdirSync(program.home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files) {
    expect([file, readFileSync(file, "latin1").includes(provider.secret)]).toEqual([file, false]);
  }
  const args = ["--access", "required", "--oidc-issuer", "http://127.0.0.1:9"];
  const alone = await Program.start({
    ...{ mode: "balancer", untilReady: false, args: [...args, "--oidc-client-id", "llmlb"] },
    env: { LLMLB_ADMIN_PASSWORD: PASSWORD },
  });
  try {
    const browser = new Browser(alone.url);
    const response = await browser.send("GET /api/auth/oidc/login");
    expect(await refusedWith(response)).toEqual([502, "oidc_unreachable"]);
    const page = await browser.send("GET /api/auth/oidc/login", undefined, { accept: "text/html" });
    expect([page.status, await page.text()]).toEqual([502, expect.stringContaining("/dashboard")]);
    expect(browser.cookies.get("llmlb_login_failure")).toContain("could%20not%20be%20asked");
    expect((await browser.logIn("admin", PASSWORD)).status).toBe(200);
  } finally {
    await alone.stop();
  }
});
