import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import {
  barriers,
  keepPicture,
  LOOKS,
  type Look,
  logIn,
  openAs,
  openPage,
  overflow,
} from "../src/testkit/openpage.ts";
import { PASSWORD, People } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { fillHome, HOSTILE } from "../src/testkit/usagehome.ts";

setDefaultTimeout(120_000);

const ADMIN_SCREENS = ["Users", "Invitations", "Audit log"];

const chromium = findChromium();

describe.skipIf(chromium === undefined)("with access control", () => {
  const home = temporaryHome();
  let program: Program;
  let people: People;
  beforeAll(async () => {
    await buildDashboard();
    await fillHome(home.path);
    program = await Program.start({
      ...{ mode: "balancer", untilReady: false, home: home.path },
      args: ["--access", "required"],
    });
    people = new People(program);
  });
  afterAll(async () => {
    await program?.stop();
    home[Symbol.dispose]();
  });

  /** A page of somebody who has logged in. */
  const open = async (name: string, path: string, look: Partial<Look> = {}) =>
    openAs(chromium ?? "", await people.loggedIn(name), `/dashboard${path}`, look);

  const rowOf = (page: Page, text: string) =>
    page.getByRole("row").filter({ hasText: text }).first();
  const confirm = (page: Page, name: string) =>
    page.getByRole("alertdialog").getByRole("button", { name, exact: true }).click();

  test("usage is told by model, user and day, narrowed down by a click, and exported", async () => {
    await using opened = await open("admin", "/usage");
    const { page, faults } = opened;
    await rowOf(page, "qwen3-32b").waitFor();
    await page.getByLabel("Grouped by").selectOption("user");
    await rowOf(page, "ada").getByRole("button", { name: "ada" }).click();
    await page.getByText("User ada").waitFor();
    expect(new URL(page.url()).searchParams.get("user")).toBe("ada");
    await rowOf(page, "llama-3.3-70b").waitFor();
    await page.getByLabel("Grouped by").selectOption("endpoint");
    await page.reload();
    await rowOf(page, HOSTILE).waitFor();
    await page.getByText("User ada").waitFor();
    const waiting = page.waitForEvent("download");
    await page.getByRole("link", { name: "Export as CSV" }).click();
    const download = await waiting;
    expect(download.suggestedFilename()).toBe("usage.csv");
    const csv = await Bun.file(await download.path()).text();
    expect(csv).toStartWith("period,group,name,requests,");
    expect(csv).toContain("gpu two");
    await page.getByRole("button", { name: "Show all again" }).click();
    await page.getByLabel("Grouped by").selectOption("");
    await page.getByLabel("Period", { exact: true }).selectOption("month");
    await rowOf(
      page,
      new Date().toLocaleDateString("en", { month: "short", year: "numeric" }),
    ).waitFor();
    await page.getByLabel("From").fill("2020-01-01");
    await page.getByLabel("To", { exact: true }).fill("2020-01-31");
    await page.getByText("Nothing was used in that time").waitFor();
    expect(faults).toEqual([]);
  });

  test("a user is added, changed, disabled and deleted, each with what it takes away", async () => {
    await using opened = await open("admin", "/users");
    const { page, faults } = opened;
    await page.getByRole("button", { name: "Add a user" }).click();
    const window = page.getByRole("dialog");
    await window.getByLabel("User name").fill("eve");
    await window.getByRole("button", { name: "Add a user" }).click();
    await window.getByText("There is a user eve already.").waitFor();
    await window.getByLabel("User name").fill(HOSTILE);
    await window.getByText("Limits").click();
    await window.getByLabel("Tokens a day").fill("many");
    await window.getByRole("button", { name: "Add a user" }).click();
    await window.getByText(/tokens_per_day/).waitFor();
    await keepPicture(page, "window-user");
    await window.getByLabel("Tokens a day").fill("5000");
    await window.getByRole("button", { name: "Add a user" }).click();
    const password = (await page.getByRole("dialog").locator("pre").textContent()) ?? "";
    expect(password).toMatch(/^\w{16}$/);
    await keepPicture(page, "window-password");
    await page.getByRole("button", { name: "I have kept it" }).click();
    await rowOf(page, HOSTILE).getByText("New password due").waitFor();
    expect(await page.content()).not.toContain(password);
    await rowOf(page, HOSTILE).getByRole("link", { name: HOSTILE }).click();
    await page.getByText("5,000 tokens/day").waitFor();
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("dialog").getByLabel("User name").fill("mallory");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "mallory", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Disable" }).click();
    await page.getByText("It ends no log-in at once").waitFor();
    await confirm(page, "Disable");
    await page.getByText("Disabled", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Enable" }).click();
    await confirm(page, "Enable");
    await page.getByText("mallory was enabled").waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("None of it can be brought back").waitFor();
    await keepPicture(page, "question-delete");
    await confirm(page, "Delete");
    await page.getByText("mallory was deleted").waitFor();
    await page.getByRole("heading", { name: "Users" }).waitFor();
    await rowOf(page, "mallory").waitFor({ state: "detached" });
    expect(faults).toEqual([]);
  });

  test("a first password is changed before anything else is shown", async () => {
    await people.create("ben");
    await using opened = await openPage(chromium ?? "", program.url);
    const { page, faults } = opened;
    await page.goto("/dashboard/usage");
    await logIn(page, "ben", "first password");
    await page.getByText("Choose a new password").waitFor();
    await page.getByLabel("New password").fill("another one");
    await page.getByLabel("Password again").fill("another two");
    await page.getByText("The two passwords differ.").waitFor();
    await page.getByLabel("Password again").fill("another one");
    await page.getByRole("button", { name: "Save and go on" }).click();
    await page.getByRole("heading", { name: "Usage" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("an invitation is made, its link makes one account, and another is revoked", async () => {
    await using opened = await open("admin", "/invitations");
    const { page, faults } = opened;
    const invite = async (note: string) => {
      await page.getByRole("button", { name: "Invite somebody" }).click();
      await page.getByRole("dialog").getByLabel("For whom").fill(note);
      await page.getByRole("dialog").getByRole("button", { name: "Invite somebody" }).click();
      const link = await page.getByRole("dialog").locator("pre").textContent();
      await page.getByRole("button", { name: "I have kept it" }).click();
      await rowOf(page, note).getByText("Open").waitFor();
      return link ?? "";
    };
    const link = await invite("cleo");
    expect(link).toStartWith(`${program.url}/dashboard#invitation=inv_`);
    expect(await page.content()).not.toContain(link.slice(link.indexOf("inv_")));
    await invite(HOSTILE);
    await rowOf(page, HOSTILE).getByRole("button", { name: "Revoke" }).click();
    await page.getByText("Its link makes no account any more").waitFor();
    await confirm(page, "Revoke");
    await rowOf(page, HOSTILE).getByText("Revoked").waitFor();
    // Who is logged in is asked first.
    await page.goto(link);
    await page.getByText("You are logged in as admin").waitFor();
    await keepPicture(page, "invited-while-logged-in");
    await page.getByRole("link", { name: "Usage" }).click();
    await page.waitForURL(`${program.url}/dashboard/usage`);
    await page.getByRole("button", { name: "Log out and make the account" }).click();
    await page.getByRole("heading", { name: "Make your account" }).waitFor();
    const make = async (username: string) => {
      await page.getByLabel("User name").fill(username);
      await page.getByLabel("Password", { exact: true }).fill("long enough");
      await page.getByLabel("Password again").fill("long enough");
      await page.getByRole("button", { name: "Make the account" }).click();
    };
    await make("eve");
    await page.getByText("There is a user eve already.").waitFor();
    await keepPicture(page, "invited");
    await make("cleo");
    await page.locator(".who-name", { hasText: "cleo" }).waitFor();
    await keepPicture(page, "invited-in");
    expect(page.url()).not.toContain("inv_");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("button", { name: "I have an invitation" }).click();
    await page.getByLabel("Invitation code").fill(link.slice(link.indexOf("inv_")));
    await make("dora");
    await page.getByText(/the invitation cannot be used, it is used/).waitFor();
    expect(faults).toEqual([]);
  });

  test("log-ins are ended one by one and all others at once; others' by an admin", async () => {
    const phone = await people.loggedIn("ada");
    const tablet = await people.loggedIn("ada");
    await using opened = await open("ada", "/sessions");
    const { page, faults } = opened;
    await page.getByText("this one").waitFor();
    await page.getByRole("button", { name: "End all others" }).click();
    await confirm(page, "End all others");
    await page.getByText(/log-ins were ended/).waitFor();
    for (const gone of [phone, tablet])
      expect((await gone.send("GET /v1/models")).status).toBe(401);
    const eve = await people.loggedIn("eve");
    await page.getByLabel("Whose").selectOption("*");
    await rowOf(page, "eve").getByRole("button", { name: "End" }).click();
    await page.getByText("eve has to log in again there").waitFor();
    await confirm(page, "End");
    await page.getByText(/The log-in of .+ has ended/).waitFor();
    expect((await eve.send("GET /v1/models")).status).toBe(401);
    expect(faults).toEqual([]);
  });

  test("who deletes his own account is logged out, and told of no failure", async () => {
    await people.settled("gus", "admin");
    await using opened = await open("gus", "/users/gus?open=delete");
    const { page, faults } = opened;
    await page.getByText("It is your own account.").waitFor();
    await confirm(page, "Delete");
    await page.waitForURL(`${program.url}/dashboard`);
    await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
    expect(await page.getByText("The user was not deleted").count()).toBe(0);
    expect(await page.getByText("Your log-in has ended").count()).toBe(0);
    expect((await people.local("GET /api/users/gus")).status).toBe(404);
    expect(faults).toEqual([]);
  });

  test("who logs in where somebody else's log-in has ended sees nothing of his", async () => {
    await using opened = await open("admin", "/users");
    const { page, context } = opened;
    await rowOf(page, "ada").waitFor();
    // Until then its events are asked for, and refused without cookies.
    await page.getByText("Live", { exact: true }).waitFor();
    await context.clearCookies();
    await page.getByRole("button", { name: "Add a user" }).click();
    await page.getByRole("dialog").getByLabel("User name").fill("half typed");
    await page.getByRole("dialog").getByRole("button", { name: "Add a user" }).click();
    await page.getByText("Your log-in has ended").waitFor();
    await page.locator(".table-row", { hasText: "ada" }).first().waitFor();
    await logIn(page, "eve", PASSWORD);
    await page.getByText("This screen is not for you").waitFor();
    expect(await page.getByText("half typed").count()).toBe(0);
    expect(await page.locator(".table-row").count()).toBe(0);
  });

  test("a key's facts and actions are in a window, also on a phone", async () => {
    await people.local("POST /api/keys", { name: "robot", user: "eve" });
    await using opened = await open("admin", "/keys", { width: "phone" });
    const { page, faults } = opened;
    await rowOf(page, "robot").getByRole("button", { name: "robot" }).click();
    const window = page.getByRole("dialog");
    await window.getByText("openai.inference").waitFor();
    await keepPicture(page, "window-key");
    await window.getByRole("button", { name: "Revoke" }).click();
    await confirm(page, "Revoke");
    await rowOf(page, "robot").getByText("Revoked").waitFor();
    expect(faults).toEqual([]);
  });

  test("one's own password is changed with the one before", async () => {
    await people.settled("fay");
    await using opened = await open("fay", "/sessions");
    const { page } = opened;
    const change = async (current: string) => {
      await page.getByRole("dialog").getByLabel("Current password").fill(current);
      await page
        .getByRole("dialog")
        .getByLabel("New password", { exact: true })
        .fill("yet another");
      await page.getByRole("dialog").getByLabel("New password again").fill("yet another");
      await page.getByRole("button", { name: "Change it" }).click();
    };
    await page.getByRole("button", { name: "Change password" }).click();
    await change("wrong one");
    await page.getByText("the current one is wrong").waitFor();
    await change(PASSWORD);
    await page.getByText("Your password was changed").waitFor();
    expect((await people.loggedIn("fay", "yet another")).cookies.size).toBe(2);
    await page.reload();
    await page.getByText("this one").waitFor();
  });

  test("the audit log is filtered, read, checked and exported", async () => {
    await people.local("PATCH /api/users/eve", { limits: { concurrent_requests: 3 } });
    await using opened = await open("admin", "/audit");
    const { page, faults } = opened;
    await page.getByLabel("Kind", { exact: true }).selectOption("change");
    await page.getByLabel("Path begins with").fill("/api/users/eve");
    const row = rowOf(page, "PATCH /api/users/:id");
    await row.getByText("local command").waitFor();
    await page.reload();
    await row.getByRole("link").click();
    await page.getByText('"limits"').waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Check the log" }).click();
    await page.getByRole("button", { name: "Check now" }).click();
    await page.getByText("The log is whole.").waitFor();
    await keepPicture(page, "window-verify");
    const proof = (await page.getByRole("dialog").locator("pre").textContent()) ?? "";
    const since = page.getByLabel("Proof of an earlier check");
    await since.fill(proof.replace(/:./, (text) => (text === ":A" ? ":B" : ":A")));
    await page.getByRole("button", { name: "Check now" }).click();
    await page.getByText("The log was tampered with").waitFor();
    await keepPicture(page, "window-verify-broken");
    await since.fill(proof);
    await page.getByRole("button", { name: "Check now" }).click();
    await page.getByText("The log is whole.").waitFor();
    await page.keyboard.press("Escape");
    const waiting = page.waitForEvent("download");
    await page.getByRole("link", { name: "Export as CSV" }).click();
    const csv = await Bun.file(await (await waiting).path()).text();
    expect(csv.trimEnd().split("\r\n").slice(1)).toEqual([
      expect.stringContaining("PATCH /api/users/:id"),
    ]);
    expect(faults).toEqual([]);
  });

  test("a viewer sees no admin's screens and actions, and only his own usage", async () => {
    await using opened = await open("eve", "/usage");
    const { page, faults } = opened;
    await rowOf(page, "qwen3-32b").waitFor();
    const links = page.getByRole("navigation").getByRole("link");
    const names = (await links.allTextContents()).map((name) => name.trim());
    expect(names.filter((name) => ADMIN_SCREENS.includes(name))).toEqual([]);
    expect(names).toContain("Log-ins");
    const groups = await page.getByLabel("Grouped by").locator("option").allTextContents();
    expect(groups).not.toContain("User");
    for (const path of ["/users", "/users/1", "/invitations", "/audit", "/audit/1"]) {
      await page.goto(`/dashboard${path}`);
      await page.getByText("This screen is not for you").waitFor();
    }
    await page.goto("/dashboard/sessions?whose=*");
    await page.getByText("this one").waitFor();
    expect(await page.getByLabel("Whose").count()).toBe(0);
    expect(await page.getByRole("columnheader", { name: "User" }).count()).toBe(0);
    expect(faults).toEqual([]);
  });

  test("an admin sees all screens; without an answer, and without rows, they say so", async () => {
    await using opened = await open("admin", "/users");
    const { page } = opened;
    await rowOf(page, "eve").waitFor();
    const links = page.getByRole("navigation").getByRole("link");
    const names = (await links.allTextContents()).map((name) => name.trim());
    expect(names).toEqual(expect.arrayContaining(ADMIN_SCREENS));
    await page.getByLabel("Search user names").fill("nobody is called so");
    await page.getByText("No user fits the filter").waitFor();
    await page.route(/\/api\/(users|invitations|usage|audit|auth\/sessions)/, (route) =>
      route.abort(),
    );
    for (const path of ["users", "invitations", "usage", "audit", "sessions"]) {
      await page.goto(`/dashboard/${path}`);
      await page.getByText("llmlb does not answer").waitFor();
    }
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("this one").waitFor();
  });

  test.each(LOOKS)(
    "everybody's log-ins fit their window, and keep nobody out: %p",
    async (look) => {
      await using opened = await open("admin", "/sessions?whose=*", look);
      const { page, faults } = opened;
      await rowOf(page, "admin").waitFor();
      await keepPicture(page, `sessions-all-${look.theme}-${look.language}-${look.width}`);
      expect([await overflow(page), await barriers(page), faults]).toEqual([0, [], []]);
    },
  );
});
