import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { keepPicture, openPage } from "../src/testkit/openpage.ts";
import { PASSWORD } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { OidcServer } from "../src/testkit/servers/oidcprovider.ts";

setDefaultTimeout(90_000);

const ROLES = ["--oidc-role-claim", "groups", "--oidc-admin-values", "ops"];
const chromium = findChromium();

describe.skipIf(chromium === undefined)("a log-in by the organisation", () => {
  let provider: OidcServer;
  let program: Program;
  beforeAll(async () => {
    await buildDashboard();
    provider = await OidcServer.listen({
      ann: { preferred_username: "ann", groups: ["ops"] },
    });
    program = await Program.start({
      ...{ mode: "balancer", untilReady: false },
      args: ["--access", "required", ...provider.args, ...ROLES],
      env: { LLMLB_ADMIN_PASSWORD: PASSWORD, LLMLB_OIDC_CLIENT_SECRET: provider.secret },
    });
    provider.serve(`${program.url}/api/auth/oidc/callback`);
  });
  afterAll(async () => {
    await program?.stop();
    await provider?.[Symbol.asyncDispose]();
  });

  test("is a button beside the password, and leads back", async () => {
    await using opened = await openPage(chromium ?? "", program.url);
    const { page, context } = opened;
    await page.goto("/dashboard");
    await page.getByRole("link", { name: "Log in with your organisation" }).waitFor();
    await keepPicture(page, "login-oidc");
    await page.getByRole("link", { name: "Log in with your organisation" }).click();
    await logInElsewhere(page, "ann");
    await page.locator(".who-name", { hasText: "ann" }).waitFor();
    expect(new URL(page.url()).origin).toBe(program.url);
    const [session] = (await context.cookies()).filter(({ name }) => name === "llmlb_session");
    expect(session).toMatchObject({ httpOnly: true, sameSite: "Lax" });
  });

  test("that is refused leads back to the log-in page, which says why, once", async () => {
    await using opened = await openPage(chromium ?? "", program.url);
    const { page } = opened;
    await page.goto("/api/auth/oidc/callback?error=access_denied");
    await page.getByRole("alert").getByText("this browser did not begin it").waitFor();
    expect(new URL(page.url()).pathname).toBe("/dashboard");
    await page.reload();
    await page.getByRole("link", { name: "Log in with your organisation" }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("in the middle of work happens in another tab, and leaves this one as it is", async () => {
    await using opened = await openPage(chromium ?? "", program.url);
    const { page, context } = opened;
    await page.goto("/dashboard");
    await page.getByRole("link", { name: "Log in with your organisation" }).click();
    await logInElsewhere(page, "ann");
    await page.locator(".who-name").waitFor();
    await page.goto("/dashboard/endpoints?open=add");
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("dialog").getByLabel("Name").fill("half typed");
    await page.getByRole("dialog").getByLabel("Address").fill("http://127.0.0.1:9");
    await context.clearCookies({ name: /^llmlb_/ });
    await page.getByRole("dialog").getByRole("button", { name: "Add endpoint" }).click();
    await page.getByText("Your log-in has ended").waitFor();
    const opening = context.waitForEvent("page");
    await page.getByRole("link", { name: "Log in with your organisation" }).click();
    const tab = await opening;
    // There she still is logged in.
    await tab.locator(".who-name").waitFor();
    await tab.close();
    await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await page.getByText("Your log-in has ended").waitFor({ state: "hidden" });
    const name = page.getByRole("dialog").getByLabel("Name");
    expect(await name.inputValue()).toBe("half typed");
  });
});

/** Goes through the pages of the provider. */
async function logInElsewhere(page: Page, name: string): Promise<void> {
  await page.locator("[name=login]").fill(name);
  await page.locator("[name=password]").fill("any");
  await page.locator("[type=submit]").click();
  // Whether this program may know who that is.
  await page.locator("[type=submit]").click();
}
