import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { post, says, TINY } from "../src/testkit/clients.ts";
import {
  barriers,
  keepPicture,
  LOOKS,
  type Look,
  openAs,
  openPage,
  overflow,
} from "../src/testkit/openpage.ts";
import { PASSWORD, People } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { ToldLog } from "../src/testkit/servers/toldlog.ts";

setDefaultTimeout(90_000);

/** A model's name that acts on pages and terminals where it is not taken for text. */
const HOSTILE = '<img src=x onerror="alert(1)">\x1b[31mred';
const SHOWN = '<img src=x onerror=\\"alert(1)\\">red';
/** Most lines that a page draws, of however many. */
const DRAWN_MAX = 150;

const chromium = findChromium();

const lines = (page: Page) => page.locator(".log-line");
const newest = (page: Page) => lines(page).last();

beforeAll(async () => {
  await buildDashboard();
});

describe.skipIf(chromium === undefined)("without access control", () => {
  const told = new ToldLog();
  let program: Program;
  let toldId = "";
  beforeAll(async () => {
    program = await Program.start({ args: ["-e", `told=${told.url}`] });
    const question = { model: TINY, messages: says("Goodbye"), max_tokens: 2 };
    await post(`${program.url}/v1/chat/completions`, question);
    await post(`${program.url}/v1/chat/completions`, { ...question, model: HOSTILE });
    await post(`${program.url}/api/log/level`, { level: "info" });
    const answer = await fetch(`${program.url}/api/endpoints`);
    const { endpoints } = (await answer.json()) as { endpoints: { id: string; name: string }[] };
    toldId = endpoints.find(({ name }) => name === "told")?.id ?? "";
  });
  afterAll(async () => {
    await program?.stop();
    told.stop();
  });

  const open = (look: Partial<Look> = {}) => openPage(chromium ?? "", program.url, look);

  test("new lines come by themselves; search and level are kept over a reload", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/logs");
    await page.getByText("engine.ready").waitFor();
    await page.locator(".log-head").getByText("Live", { exact: true }).waitFor();
    await fetch(`${program.url}/came-while-looking`);
    await lines(page).filter({ hasText: "/came-while-looking" }).waitFor();
    await page.getByLabel("Search the lines").fill("CAME-while");
    await page.locator("mark", { hasText: "came-while" }).first().waitFor();
    await page.getByText("engine.ready").waitFor({ state: "detached" });
    await page.reload();
    await page.locator("mark", { hasText: "came-while" }).first().waitFor();
    await page.getByRole("button", { name: "Show all again" }).click();
    await page.getByText("engine.ready").waitFor();
    await page.getByLabel("Level", { exact: true }).selectOption("fatal");
    await page.getByText("No line fits the filter").waitFor();
    await page.getByLabel("Level", { exact: true }).selectOption("warn");
    await lines(page).filter({ hasText: "log.level_changed" }).first().waitFor();
    expect(await page.getByText("engine.ready").count()).toBe(0);
    expect(faults).toEqual([]);
  });

  test("markup and terminal codes in a line are text", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/logs?search=onerror");
    const line = lines(page).filter({ hasText: SHOWN }).first();
    await line.waitFor();
    await line.click();
    const window = page.getByRole("dialog");
    await window.getByRole("rowheader", { name: "request_id" }).waitFor();
    expect(await page.locator("img").count()).toBe(0);
    expect(await window.textContent()).not.toContain("\x1b");
    await keepPicture(page, "log-line");
    expect(faults).toEqual([]);
  });

  test("a line leads to its request, and to the other lines of that", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/logs?search=chat/completions");
    await lines(page).filter({ hasText: "status=200" }).first().click();
    const window = page.getByRole("dialog");
    await window.getByRole("rowheader", { name: "method" }).waitFor();
    await page.reload();
    await window.getByRole("rowheader", { name: "method" }).waitFor();
    const id = (await window.getByRole("link").textContent()) ?? "";
    await window.getByRole("button", { name: "Only lines of this request" }).click();
    await window.waitFor({ state: "hidden" });
    expect(await page.getByLabel("Search the lines").inputValue()).toBe(id);
    await lines(page).first().click();
    await page.getByRole("dialog").getByRole("link", { name: id }).click();
    await page.getByText("What took how long").waitFor();
    expect(faults).toEqual([]);
  });

  test("a line that is gone is told as such", async () => {
    await using opened = await open();
    await opened.page.goto("/dashboard/logs?line=2020-01-01T00:00:00.000Z~1");
    await opened.page.getByText("The line is not here any more").waitFor();
  });

  test("thousands of lines are drawn as they are seen; reading on stops them", async () => {
    told.tell(6000, "early");
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto(`/dashboard/logs?source=${toldId}`);
    await page.getByText("6,000 lines", { exact: true }).waitFor();
    await newest(page).getByText("early.5999").waitFor();
    expect(await lines(page).count()).toBeLessThan(DRAWN_MAX);
    await page.getByRole("listbox").hover();
    await page.mouse.wheel(0, -60_000);
    await page.getByText("Paused", { exact: true }).waitFor();
    const read = await lines(page).nth(40).textContent();
    told.tell(5, "meanwhile");
    await page.getByRole("button", { name: "5 new lines" }).waitFor();
    expect(await lines(page).nth(40).textContent()).toBe(read);
    expect(await lines(page).count()).toBeLessThan(DRAWN_MAX);
    await keepPicture(page, "logs-paused");
    await page.getByRole("button", { name: "5 new lines" }).click();
    await newest(page).getByText("meanwhile.4").waitFor();
    // Older ones make room.
    told.tell(6000, "late");
    await page.getByText("10,000 lines", { exact: true }).waitFor();
    await newest(page).getByText("late.5999").waitFor();
    told.drop(12);
    await page.getByText("12 lines were left out: too many came at a time.").waitFor();
    expect(faults).toEqual([]);
  });

  test("keys go through the lines, open one, and come back to the newest", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto(`/dashboard/logs?source=${toldId}`);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("listbox").focus();
    for (const key of ["ArrowUp", "ArrowUp", "ArrowUp"]) await page.keyboard.press(key);
    const chosen = page.getByRole("option", { selected: true });
    const event = await chosen.locator(".log-event").textContent();
    await page.keyboard.press("Enter");
    await page
      .getByRole("dialog")
      .getByRole("heading", { name: event ?? "" })
      .waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.getByRole("listbox").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("End");
    told.tell(1, "last");
    await page.getByRole("button", { name: "Go on" }).click();
    await newest(page).getByText("last.0").waitFor();
    expect(faults).toEqual([]);
  });

  test("a log that ends is told, and goes on where it was, each line once", async () => {
    told.tell(3, "before");
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto(`/dashboard/logs?source=${toldId}&search=cut`);
    await page.getByText("No line fits the filter").waitFor();
    told.tell(2, "cut");
    await newest(page).getByText("cut.1").waitFor();
    told.stop();
    await page.getByText("Not live: reconnecting").waitFor();
    await page.getByText("Not up to date:").waitFor();
    await keepPicture(page, "logs-not-live");
    told.start();
    told.tell(1, "cut");
    await page.getByText("Live", { exact: true }).nth(1).waitFor();
    await page.getByText("3 lines", { exact: true }).waitFor();
    // One that was started again tells what it told before.
    told.restart();
    told.tell(1, "cut");
    await page.getByText("4 lines", { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });

  test("without an answer, and for what has no log, it says so", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.goto("/dashboard/logs?source=nobody");
    await page.getByText("It could not be loaded").waitFor();
    await page.route(/\/api\/logs/, (route) => route.abort());
    await page.goto("/dashboard/logs");
    await page.getByText("llmlb does not answer").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await lines(page).first().waitFor();
  });

  test("the level is changed while it runs; lines are saved and copied", async () => {
    await using opened = await open();
    const { page, context, faults } = opened;
    await page.goto("/dashboard/logs");
    const level = page.getByLabel("Log level");
    await page.getByLabel("Search the lines").fill("log.level_changed");
    await level.selectOption("debug");
    await page.getByText("Lines of level debug and above are written now").waitFor();
    await page.getByText("2 lines", { exact: true }).waitFor();
    await page.reload();
    expect(await level.inputValue()).toBe("debug");
    await level.selectOption("info");
    await page.getByText("Lines of level info and above are written now").waitFor();
    await page.getByText("3 lines", { exact: true }).waitFor();
    const waiting = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export" }).click();
    const saved = await Bun.file(await (await waiting).path()).text();
    const entries = saved
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(entries.slice(1)).toMatchObject([
      { message: "log.level_changed", fields: { before: "info", after: "debug" } },
      { message: "log.level_changed", fields: { before: "debug", after: "info" } },
    ]);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("3 lines were copied").waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toContain("log.level_changed before=debug after=info");
    expect(faults).toEqual([]);
  });

  test("an endpoint's page has the end of its log", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.goto("/dashboard/endpoints/local");
    await lines(page).filter({ hasText: "engine.ready" }).first().click();
    await page.waitForURL(/dashboard\/logs\?source=/);
    await page.getByRole("dialog").getByRole("heading", { name: "engine.ready" }).waitFor();
  });

  test.each(LOOKS)("they fit the window, and keep nobody out: %p", async (look) => {
    await using opened = await open(look);
    const { page, faults } = opened;
    const looks = `${look.theme}-${look.language}-${look.width}`;
    await page.goto("/dashboard/logs");
    await lines(page).first().waitFor();
    await keepPicture(page, `logs-${looks}`);
    expect([await overflow(page), await barriers(page)]).toEqual([0, []]);
    await lines(page).last().click();
    await page.getByRole("dialog").getByRole("rowheader").first().waitFor();
    await keepPicture(page, `logs-line-${looks}`);
    expect([await overflow(page), await barriers(page)]).toEqual([0, []]);
    await page.goto("/dashboard/endpoints/local");
    await lines(page).first().waitFor();
    expect([await overflow(page), await barriers(page)]).toEqual([0, []]);
    expect(faults).toEqual([]);
  });
});

describe.skipIf(chromium === undefined)("with access control", () => {
  let program: Program;
  let people: People;
  beforeAll(async () => {
    const env = { LLMLB_ADMIN_PASSWORD: PASSWORD };
    program = await Program.start({ args: ["--access", "required"], env });
    people = new People(program);
    await people.settled("vera");
  });
  afterAll(() => program?.stop());

  test.each([
    ["admin", true],
    ["vera", false],
  ])("%s reads logs: %p", async (name, isAllowed) => {
    const browser = await people.loggedIn(name);
    await using opened = await openAs(chromium ?? "", browser, "/dashboard/endpoints/local");
    const { page } = opened;
    await page.getByText("Health checks").waitFor();
    const links = page.getByRole("navigation").getByRole("link", { name: "Logs" });
    expect(await links.count()).toBe(isAllowed ? 1 : 0);
    if (isAllowed) await lines(page).first().waitFor();
    expect(await page.locator(".log-end").count()).toBe(isAllowed ? 1 : 0);
    await page.goto("/dashboard/logs");
    if (isAllowed) await lines(page).first().waitFor();
    else await page.getByText("This screen is not for you").waitFor();
  });
});
