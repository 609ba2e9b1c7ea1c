import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { buildDashboard } from "../scripts/dashboard.ts";
import { LLAMA_CPP_VERSION, VERSION } from "../src/config/version.ts";
import { HELP_JA } from "../src/dashboard/screens/settings/help/texts.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { temporaryHome } from "../src/testkit/command.ts";
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
import { HOSTILE } from "../src/testkit/usagehome.ts";
import { SettingsAnswer } from "../src/wire/settings.ts";

setDefaultTimeout(90_000);

const SECRET = "sk-never-shown-anywhere";
const chromium = findChromium();

/** A node of another version, with a GPU that it cannot use. */
function otherNode() {
  const system = {
    device: { device_type: "cpu", gpu_devices: [] },
    devices: [
      {
        ...{ name: "CPU", description: "A processor", type: "cpu" },
        ...{ total_memory_bytes: 64e9, free_memory_bytes: 48e9 },
      },
    ],
    ...{ llmlb_version: "0.0.9", bun_version: Bun.version, llama_cpp_version: LLAMA_CPP_VERSION },
    backend: "cpu",
    skipped_backends: [{ backend: "cuda", reason: `the driver is too old ${HOSTILE}` }],
    gpus: [{ vendor: "NVIDIA", address: "0000:01:00.0", driver: "nvidia", driver_version: "470" }],
    ...{ slots: { total: 1, busy: 0 }, models: [] },
  };
  return Bun.serve({
    ...{ hostname: "127.0.0.1", port: 0 },
    routes: {
      "/api/system": () => Response.json(system),
      "/v1/models": () => Response.json({ object: "list", data: [] }),
    },
    fetch: () => new Response(null, { status: 404 }),
  });
}

beforeAll(async () => {
  await buildDashboard();
});

describe.skipIf(chromium === undefined)("without access control", () => {
  const home = temporaryHome();
  const other = otherNode();
  let program: Program;
  beforeAll(async () => {
    writeFileSync(join(home.path, "config.json"), '{ "strategy": "least-busy" }');
    program = await Program.start({
      home: home.path,
      args: ["--queue-max", "7", "-e", `other=http://${SECRET}@127.0.0.1:${other.port}`],
      env: { OPENAI_API_KEY: SECRET, LLMLB_QEUE_MAX: "8" },
    });
  });
  afterAll(async () => {
    await program?.stop();
    await other.stop(true);
    home[Symbol.dispose]();
  });

  const open = (look: Partial<Look> = {}) => openPage(chromium ?? "", program.url, look);
  const setting = (page: Page, name: string) =>
    page.locator(".setting").filter({ has: page.getByText(name, { exact: true }) });

  test("each setting tells its value and where it comes from, and no secret", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/settings");
    const queue = setting(page, "queue_max");
    await queue.getByText("Command line").waitFor();
    await queue.getByText("--queue-max", { exact: true }).waitFor();
    await queue.getByText("Length of a model's queue for free slots").waitFor();
    expect(await queue.locator(".setting-value").textContent()).toBe("7");
    await setting(page, "strategy").getByText("Config file").waitFor();
    await setting(page, "strategy").getByText("least-busy", { exact: true }).waitFor();
    await setting(page, "openai_api_key").getByText("hidden").waitFor();
    await setting(page, "openai_api_key").getByText("OPENAI_API_KEY", { exact: true }).waitFor();
    await setting(page, "endpoints").getByText("(key ***)").waitFor();
    await page.getByText("LLMLB_QEUE_MAX is set, but no setting has that name").waitFor();
    expect(await page.content()).not.toContain(SECRET);
    expect(faults).toEqual([]);
  });

  test("they are searched and chosen by where they come from, also after a reload", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/settings");
    await page.getByLabel("Search settings").fill("health check longest");
    await setting(page, "health_timeout").waitFor();
    expect(await page.locator(".setting").count()).toBe(1);
    await page.getByLabel("Where it comes from").selectOption("env");
    await page.getByText("No setting fits the filter").waitFor();
    await page.reload();
    await page.getByText("No setting fits the filter").waitFor();
    await page.getByLabel("Search settings").fill("");
    await setting(page, "openai_api_key").waitFor();
    expect(await setting(page, "queue_max").count()).toBe(0);
    await page.getByRole("button", { name: "Show all again" }).click();
    await setting(page, "queue_max").waitFor();
    expect(faults).toEqual([]);
  });

  test("nodes tell versions, backends and devices; one that differs is named", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/settings");
    await page.getByText("other runs another version than the balancer").waitFor();
    const row = page.getByRole("row").filter({ hasText: "0.0.9" });
    await row.getByTitle("not the balancer's").waitFor();
    await page.getByRole("row").filter({ hasText: "local" }).getByText(VERSION).waitFor();
    await row.getByRole("button", { name: "other" }).click();
    const window = page.getByRole("dialog");
    await window.getByText(`the driver is too old ${HOSTILE}`).waitFor();
    await page.reload();
    await window.getByText("NVIDIA").waitFor();
    await window.getByText("48 GB of 64 GB free").waitFor();
    expect(await page.locator("img").count()).toBe(0);
    await keepPicture(page, "settings-node");
    expect(await barriers(page)).toEqual([]);
    await window.getByRole("link", { name: "To its page" }).click();
    await page.getByRole("heading", { name: "other", level: 1 }).waitFor();
    await page.goto("/dashboard/settings?node=nobody");
    await page.getByText("The node is not there any more").waitFor();
    expect(faults).toEqual([]);
  });

  test("what takes room is told, and how much is free", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/settings");
    await page.getByText("users, keys, endpoints, models").waitFor();
    const folder = page.locator(".folder");
    await folder.getByText(home.path, { exact: true }).waitFor();
    await folder.getByText(/^[\d.,]+ [MGT]B of [\d.,]+ [GT]B free$/).waitFor();
    expect(faults).toEqual([]);
  });

  test("theme and language of the page change at once, and with the ones in the menu", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/settings");
    const content = page.getByRole("main");
    await content.getByLabel("Theme").selectOption("dark");
    const themeOf = () => page.evaluate(() => document.documentElement.dataset.theme);
    expect(await themeOf()).toBe("dark");
    const sidebar = page.locator(".sidebar");
    expect(await sidebar.getByLabel("Theme").inputValue()).toBe("dark");
    await sidebar.getByLabel("Theme").selectOption("light");
    expect(await content.getByLabel("Theme").inputValue()).toBe("light");
    await content.getByLabel("Language").selectOption("ja");
    await page.getByRole("heading", { name: "設定", level: 1 }).waitFor();
    await setting(page, "queue_max")
      .getByText(HELP_JA.queue_max ?? "")
      .waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "設定", level: 1 }).waitFor();
    expect(await themeOf()).toBe("light");
    expect(faults).toEqual([]);
  });

  test("each setting has a sentence in Japanese, and no other has", async () => {
    const answer = await (await fetch(`${program.url}/api/settings`)).json();
    const names = SettingsAnswer.parse(answer).settings.map(({ name }) => name);
    expect(Object.keys(HELP_JA).sort()).toEqual(names.sort());
  });

  test("without an answer it says so, and asks again", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.route("**/api/settings", (route) => route.abort());
    await page.goto("/dashboard/settings");
    await page.getByText("llmlb does not answer").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await setting(page, "queue_max").waitFor();
  });

  test.each(LOOKS)("they fit the window, and keep nobody out: %p", async (look) => {
    await using opened = await open(look);
    const { page, faults } = opened;
    await page.goto("/dashboard/settings");
    await setting(page, "access_log").waitFor();
    await page.getByText("0.0.9").first().waitFor();
    await keepPicture(page, `settings-${look.theme}-${look.language}-${look.width}`);
    expect([await overflow(page), await barriers(page)]).toEqual([0, []]);
    expect(faults).toEqual([]);
  });
});

describe.skipIf(chromium === undefined)("with access control", () => {
  let program: Program;
  let people: People;
  beforeAll(async () => {
    const env = { LLMLB_ADMIN_PASSWORD: PASSWORD };
    const args = ["--access", "required"];
    program = await Program.start({ mode: "balancer", untilReady: false, args, env });
    people = new People(program);
    await people.settled("vera");
  });
  afterAll(() => program?.stop());

  test.each([
    ["admin", true],
    ["vera", false],
  ])("%s sees settings: %p", async (name, isAllowed) => {
    const browser = await people.loggedIn(name);
    for (const path of ["settings", "settings/storage", "nodes"]) {
      const { status } = await browser.send(`GET /api/${path}`);
      expect([path, status]).toEqual([path, isAllowed ? 200 : 403]);
    }
    await using opened = await openAs(chromium ?? "", browser, "/dashboard/settings");
    const { page } = opened;
    if (!isAllowed) {
      await page.getByText("This screen is not for you").waitFor();
      expect(await page.getByRole("link", { name: "Settings" }).count()).toBe(0);
      return;
    }
    await page.getByText("There are no nodes").waitFor();
    expect(await page.content()).not.toContain(PASSWORD);
  });
});
