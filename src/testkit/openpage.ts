import { join } from "node:path";
import axe from "axe-core";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import type { Browser } from "./browser.ts";

const ARGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

export interface Look {
  theme: "light" | "dark";
  language: "en" | "ja";
  width: "wide" | "phone";
}

/** The windows in which pages are looked at. */
export const SIZES = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 780 } };

/** Both themes, both languages and both widths, in four pages. */
export const LOOKS: readonly Look[] = [
  { theme: "light", language: "en", width: "wide" },
  { theme: "dark", language: "ja", width: "wide" },
  { theme: "light", language: "ja", width: "phone" },
  { theme: "dark", language: "en", width: "phone" },
];

/** A page in a browser of its own, and what went wrong in it. */
export interface OpenPage extends AsyncDisposable {
  page: Page;
  context: BrowserContext;
  /** Errors of its scripts, what its content security policy stopped, dialogs of scripts. */
  faults: string[];
}

/** Opens a page of a server in Chromium. */
export async function openPage(path: string, url: string, look: Partial<Look> = {}) {
  const { theme = "light", language = "en", width = "wide" } = look;
  const browser = await chromium.launch({ executablePath: path, args: ARGS });
  const context = await browser.newContext({
    ...{ colorScheme: theme, locale: language, viewport: SIZES[width], baseURL: url },
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of \d+/.test(message.text())) {
      faults.push(message.text());
    }
  });
  page.on("dialog", (dialog) => {
    faults.push(`a script opened a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const opened: OpenPage = {
    ...{ page, context, faults },
    [Symbol.asyncDispose]: () => browser.close(),
  };
  return opened;
}

/** Opens a path of a server's in Chromium for somebody who has logged in with `browser`. */
export async function openAs(
  chromiumPath: string,
  browser: Browser,
  path: string,
  look: Partial<Look> = {},
) {
  const opened = await openPage(chromiumPath, browser.url, look);
  await opened.context.addCookies(browser.jar);
  await opened.page.goto(path);
  return opened;
}

/** Keeps a picture of a page in the folder that `LLMLB_TEST_SCREENSHOTS` names, if it does. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env.LLMLB_TEST_SCREENSHOTS;
  if (folder === undefined) return;
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Logs in on the page that asks for it. */
export async function logIn(page: Page, username: string, password: string): Promise<void> {
  const box = page.locator(".login-box");
  await box.getByLabel("User name").fill(username);
  await box.getByLabel("Password").fill(password);
  await box.getByRole("button", { name: "Log in" }).click();
}

/** By how many pixels a page is wider than its window, or a row of a table than its table. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => {
    const beyond = (one: Element) => one.scrollWidth - one.clientWidth;
    const rows = [...document.querySelectorAll(".table-head, .table-row")].map(beyond);
    return Math.max(document.documentElement.scrollWidth - innerWidth, ...rows);
  });
}

/** What keeps people with disabilities from using a page, as axe-core finds it: nothing is best. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  const grave = found.violations.filter(
    ({ impact }) => impact === "serious" || impact === "critical",
  );
  return grave.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
