import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { buildDashboard } from "../scripts/dashboard.ts";
import { ruleOf } from "../src/auth/accesstable.ts";
import { SCREENS } from "../src/dashboard/screens/screens.ts";
import { fakeBalancer } from "../src/testkit/balancer.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { type Fleet, startFleet } from "../src/testkit/fleet.ts";
import { openPage } from "../src/testkit/openpage.ts";
import { addressBelow, visitScreen } from "../src/testkit/screens.ts";
import { type Permission, ROLE_PERMISSIONS, type Role } from "../src/wire/permission.ts";

setDefaultTimeout(240_000);

const NAMES: Record<Role, string> = { admin: "admin", viewer: "eve" };
/** What a press of a button may take to ask for something. */
const PRESS_MS = 150;
const chromium = findChromium();

describe.skipIf(chromium === undefined)("every screen and button follows the permissions", () => {
  let fleet: Fleet;
  /** All routes of the API, as patterns of `GET /api/keys/1`. */
  let routes: { route: string; pattern: RegExp }[];
  beforeAll(async () => {
    await buildDashboard();
    fleet = await startFleet();
    await using balancer = await fakeBalancer({});
    routes = balancer.balancer.app.routes.map(({ method, path }) => ({
      route: `${method} ${path}`,
      pattern: new RegExp(`^${method} ${path.replaceAll(/:\w+/g, "[^/]+").replace("*", ".+")}$`),
    }));
  });
  afterAll(() => fleet?.[Symbol.asyncDispose]());

  /** What of a role's calls the table does not allow it. */
  function forbidden(role: Role, calls: Iterable<string>): string[] {
    return [...calls].filter((call) => {
      const found = routes.filter(({ pattern }) => pattern.test(call));
      const rules = found.map(({ route }) => ruleOf(route)).filter((one) => one !== undefined);
      return !rules.some((rule) => {
        if (typeof rule === "object" || rule === "node") return false;
        if (rule === "public" || rule === "session" || rule === "signed-in") return true;
        return ROLE_PERMISSIONS[role].includes(rule);
      });
    });
  }

  test.concurrent.each<Role>(["viewer", "admin"])("of a role: %s", async (role) => {
    await using opened = await openPage(chromium ?? "", fleet.program.url);
    const { page, context, faults } = opened;
    await context.addCookies((await fleet.people.loggedIn(NAMES[role])).jar);
    const calls = new Set<string>();
    const refused: string[] = [];
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (response.status() === 401 || response.status() === 403) refused.push(pathname);
    });
    // Nothing that a button asks for is done: what counts is what it would ask.
    await page.route(/\/(api|v1)\//, async (route, request) => {
      const call = `${request.method()} ${new URL(request.url()).pathname}`;
      calls.add(call);
      if (request.method() === "GET") return route.fallback();
      const error = { message: "Nothing is done here.", code: "not_done" };
      return route.fulfill({ status: 500, json: { error } });
    });
    const may = (permission: Permission | undefined) =>
      permission === undefined || ROLE_PERMISSIONS[role].includes(permission);
    await visitScreen(page, "/sessions");
    const links = page.locator(".sidebar nav a");
    const shown = await links.evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    const allowed = SCREENS.filter(({ permission }) => may(permission));
    expect(shown.map((href) => href?.replace(/^\/dashboard$/, "/dashboard/"))).toEqual(
      allowed.map(({ path }) => `/dashboard${path}`),
    );
    for (const { path, permission, below = [] } of SCREENS) {
      await page.goto(`/dashboard${path}`);
      if (!may(permission)) {
        for (const one of [path, ...below.map((screen) => screen.path)]) {
          await page.goto(`/dashboard${one.replaceAll(/\$\w+/g, "1")}`);
          await page.getByText("This screen is not for you").waitFor();
        }
        continue;
      }
      await pressAll(page, path);
      for (const one of below) {
        await visitScreen(page, path);
        const address = await addressBelow(page, one.path);
        if (address !== undefined) await pressAll(page, address);
      }
    }
    expect([refused, forbidden(role, calls), faults]).toEqual([[], [], []]);
    // The buttons were pressed, and asked for what others may not.
    const writes = [...calls].filter((call) => !call.startsWith("GET "));
    expect(writes.length).toBeGreaterThan(role === "admin" ? 5 : 1);
    expect(forbidden("viewer", writes).length > 0).toBe(role === "admin");
  });
});

/** Presses every button of a screen and of the windows that they open, each kind once. */
async function pressAll(page: Page, path: string): Promise<void> {
  const pressed = new Set<string>();
  for (;;) {
    await visitScreen(page, path);
    const next = await unpressed(page.locator("main button:enabled:not(.sort)"), pressed);
    if (next === undefined) return;
    await next.click({ timeout: 5000 }).catch(() => undefined); // Something live has moved it.
    await pressWindow(page);
  }
}

/** The first of these buttons that nobody has pressed. */
async function unpressed(buttons: Locator, pressed: Set<string>): Promise<Locator | undefined> {
  for (const button of await buttons.all()) {
    if (!(await button.isVisible())) continue;
    const name = (await button.textContent()) || (await button.getAttribute("aria-label")) || "";
    // Numbers in names change by themselves.
    const kind = name.replaceAll(/\d+/g, "0");
    if (pressed.has(kind)) continue;
    pressed.add(kind);
    return button;
  }
  return undefined;
}

/** Fills in the form of the window that is open, if one is, and sends it. */
async function pressWindow(page: Page): Promise<void> {
  await page.waitForTimeout(PRESS_MS);
  const window = page.getByRole("dialog").or(page.getByRole("alertdialog"));
  if ((await window.count()) === 0) return;
  const inputs = window.first().locator("input:visible:enabled");
  for (const input of await inputs.all()) {
    if ((await input.getAttribute("type")) === "checkbox") continue;
    await input.fill("http://127.0.0.1:9", { timeout: 2000 }).catch(() => undefined);
  }
  const send = window.first().locator("button.is-primary:enabled, button.is-danger:enabled");
  if ((await send.count()) > 0) await send.first().click();
  await page.waitForTimeout(PRESS_MS);
}
