import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildDashboard } from "../scripts/dashboard.ts";
import { SCREENS } from "../src/dashboard/screens/screens.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { type Fleet, startFleet } from "../src/testkit/fleet.ts";
import {
  barriers,
  keepPicture,
  type Look,
  openPage,
  overflow,
  SIZES,
} from "../src/testkit/openpage.ts";
import { addressBelow, visitScreen } from "../src/testkit/screens.ts";

setDefaultTimeout(240_000);

const THEMES = ["light", "dark"] as const;
const WIDTHS = ["wide", "phone"] as const;
const LOOKS_MAX = 20;
const LOOK_AGAIN_MS = 100;
const chromium = findChromium();

describe.skipIf(chromium === undefined)("every screen there is", () => {
  let fleet: Fleet;
  beforeAll(async () => {
    await buildDashboard();
    fleet = await startFleet();
  });
  afterAll(() => fleet?.[Symbol.asyncDispose]());

  test.concurrent.each(["en", "ja"] as const)(
    "fits its window, keeps nobody out and runs nothing, in both themes and widths: %s",
    async (language) => {
      await using opened = await openPage(chromium ?? "", fleet.program.url, { language });
      const { page, context, faults } = opened;
      await page.goto("/dashboard");
      await page.locator(".login-box").waitFor();
      const found = await looksOf(page, "login", language);
      await context.addCookies((await fleet.people.loggedIn("admin")).jar);
      const missed: string[] = [];
      for (const { name, path, below = [] } of SCREENS) {
        await page.setViewportSize(SIZES.wide);
        await visitScreen(page, path);
        const addresses = await Promise.all(below.map((one) => addressBelow(page, one.path)));
        found.push(...(await looksOf(page, name, language)));
        for (const [i, address] of addresses.entries()) {
          if (address === undefined) {
            missed.push(below[i]?.path ?? "");
            continue;
          }
          await page.setViewportSize(SIZES.wide);
          await visitScreen(page, address);
          found.push(...(await looksOf(page, `${name}-${i + 1}`, language)));
        }
      }
      expect([found, missed, faults]).toEqual([[], [], []]);
    },
  );
});

/**
 * Takes pictures of a screen in all themes and widths, and says what is wrong with it. Each colour
 * and each width is looked at by axe-core, in one language or the other.
 */
async function looksOf(page: Page, name: string, language: Look["language"]): Promise<string[]> {
  const wrong: string[] = [];
  for (const [i, width] of WIDTHS.entries()) {
    for (const [j, theme] of THEMES.entries()) {
      await page.setViewportSize(SIZES[width]);
      await page.emulateMedia({ colorScheme: theme });
      const look = `${name}-${theme}-${language}-${width}`;
      const beyond = await settledOverflow(page);
      await keepPicture(page, look);
      if (beyond > 0) wrong.push(`${look} is ${beyond} pixels too wide`);
      const isLookedAt = (i + j) % 2 === (language === "en" ? 0 : 1);
      if (isLookedAt) wrong.push(...(await barriers(page)).map((one) => `${look}: ${one}`));
    }
  }
  const made = await page.locator("img[src='x']").count();
  if (made > 0) wrong.push(`${name} takes names for markup`);
  return wrong;
}

/** How much too wide a page is, once it had time to notice that its window is another one. */
async function settledOverflow(page: Page): Promise<number> {
  for (let i = 0; i < LOOKS_MAX; i += 1) {
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    if ((await overflow(page)) === 0) return 0;
    await page.waitForTimeout(LOOK_AGAIN_MS);
  }
  return overflow(page);
}
