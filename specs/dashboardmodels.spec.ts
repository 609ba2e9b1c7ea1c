import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { post, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import {
  barriers,
  keepPicture,
  LOOKS,
  type Look,
  openPage,
  overflow,
} from "../src/testkit/openpage.ts";
import { Program } from "../src/testkit/program.ts";
import { type Hub, startHub } from "../src/testkit/servers/hub/hub.ts";
import { someBytes, tinyRepo, variantsRepo } from "../src/testkit/servers/hub/samples.ts";
import { HOSTILE } from "../src/testkit/usagehome.ts";

setDefaultTimeout(90_000);

const REPO = "llmlb/tiny-GGUF";
const FILE = "llmlb-tiny-Q8_0.gguf";
const LLAMA = "acme/Llama-3-8B-GGUF";

/** What is there once a view is. */
const SHOWN: Record<string, string> = {
  ...{ list: ".table-row", one: ".place-list li", found: ".place-list li" },
  ...{
    preview: "[type=radio]",
    settings: "[role=dialog]",
    edit: "[role=dialog]",
    question: "[role=alertdialog]",
  },
};

const chromium = findChromium();
let hub: Hub;

beforeAll(async () => {
  await buildDashboard();
  hub = await startHub();
  await hub.add(tinyRepo(REPO, FILE));
  await hub.add(variantsRepo(LLAMA));
  await hub.add({
    ...{ name: "acme/gated", gated: "manual", allowed: ["hf_me"] },
    files: { "a-Q4_K_M.gguf": someBytes(3000) },
  });
});
afterAll(() => hub?.[Symbol.asyncDispose]());

const rowOf = (page: Page, text: string) => page.getByRole("row").filter({ hasText: text }).first();
const addressOf = (id: string) => `/dashboard/models/${encodeURIComponent(id)}`;

/** Opens the window, pastes an address, and returns the window. */
async function paste(page: Page, address: string) {
  await page.goto("/dashboard/models");
  await page.getByRole("button", { name: "Register a model" }).click();
  const window = page.getByRole("dialog");
  await window.getByLabel("Hugging Face address or name").fill(address);
  return window;
}

async function remove(program: Program, id: string): Promise<void> {
  await fetch(`${program.url}/api/models/${id}`, { method: "DELETE" });
}

describe.skipIf(chromium === undefined)("with a node of its own", () => {
  let program: Program;
  beforeAll(async () => {
    program = await Program.start({ env: { HF_ENDPOINT: hub.url } });
  });
  afterAll(() => program.stop());

  const open = (look: Partial<Look> = {}) => openPage(chromium ?? "", program.url, look);

  test("a pasted address is previewed, registered, fetched, and leads to a chat", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    hub.bytesPerSecond = 100_000;
    const window = await paste(page, `${hub.url}/${REPO}/blob/main/${FILE}`);
    await window.getByRole("radio", { name: FILE }).waitFor();
    expect(await window.getByRole("radio", { name: FILE }).isChecked()).toBe(true);
    await window.getByText("Fits its memory").waitFor();
    // What is chosen outlives a reload.
    await window.getByRole("radio", { name: "All files" }).check();
    await page.reload();
    await page.getByRole("radio", { name: "All files", checked: true }).waitFor();
    await keepPicture(page, "models-register");
    await page.getByRole("dialog").getByLabel("Short name").fill("tiny-hub");
    await page.getByRole("dialog").getByRole("button", { name: "Register a model" }).click();
    await page.getByText(`hf/${REPO} was registered`).waitFor();
    await page.getByRole("heading", { name: `hf/${REPO}`, level: 1 }).waitFor();
    await page.getByText(/% · .+ of .+ · .+\/s/).waitFor();
    await keepPicture(page, "models-fetching");
    await page.goto("/dashboard/models");
    await rowOf(page, REPO).getByText("Fetching").waitFor();
    await rowOf(page, REPO).getByRole("progressbar").waitFor();
    await keepPicture(page, "models-list-fetching");
    hub.bytesPerSecond = 0;
    await rowOf(page, REPO).getByRole("link").click();
    const chat = page.getByRole("link", { name: "Chat with it" });
    await chat.waitFor();
    expect(await page.getByText("On its way to the nodes").count()).toBe(0);
    await chat.click();
    await page.getByRole("heading", { name: "Playground" }).waitFor();
    expect(new URL(page.url()).searchParams.get("model")).toBe(`hf/${REPO}`);
    expect(faults).toEqual([]);
  });

  test("what is registered already says so before, and if another was faster", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    const window = await paste(page, REPO);
    await window.getByText("This is registered already:").waitFor();
    const button = window.getByRole("button", { name: "Register a model" });
    expect(await button.isDisabled()).toBe(true);
    await window.getByLabel("Hugging Face address or name").fill(`${REPO}/${FILE}`);
    await window.getByRole("radio", { name: FILE }).waitFor();
    await post(`${program.url}/api/models/register`, { repo: REPO, filename: FILE });
    await button.click();
    await window.getByText("The model is registered already.").waitFor();
    await window.getByText("delete it first to register it anew", { exact: false }).waitFor();
    await keepPicture(page, "models-duplicate");
    await window.getByRole("link", { name: FILE }).click();
    await page.getByRole("heading", { name: FILE, level: 1 }).waitFor();
    await remove(program, `hf/${REPO}/${FILE}`);
    expect(faults).toEqual([]);
  });

  test("what cannot be registered says why, and what to do", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    const window = await paste(page, "acme/nothing");
    await window.getByText("There is no such repository.").waitFor();
    await window.getByText("Check its spelling.").waitFor();
    await keepPicture(page, "models-not-found");
    const address = window.getByLabel("Hugging Face address or name");
    await address.fill(`${LLAMA}:Q3_K`);
    await window.getByText("The repository has no such file.").waitFor();
    await window.getByText("BF16, Q4_K_M, Q8_0").waitFor();
    await address.fill("https://example.com/a/b");
    await window.getByText("That is no address or name of a model.").waitFor();
    await address.fill(`https://huggingface.co/datasets/a/b${HOSTILE}`);
    await window.getByText("datasets are no models").waitFor();
    await address.fill("acme/gated");
    await window
      .getByText("Accept its licence", { exact: false })
      .or(window.getByText("gated"))
      .first()
      .waitFor();
    hub.fail({ on: "api", mishap: { status: 500 } });
    await address.fill("acme/other");
    await window
      .getByText("Hugging Face cannot be reached.")
      .or(window.getByText("failed"))
      .first()
      .waitFor();
    hub.faults.clear();
    expect(await window.getByRole("button", { name: "Register a model" }).isDisabled()).toBe(true);
    expect(faults).toEqual([]);
  });

  test("a pull that fails says why, and is tried again", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    hub.fail({ on: "cdn", repo: LLAMA, mishap: { status: 403 } });
    hub.fail({ on: "resolve", repo: LLAMA, mishap: { status: 403 } });
    const window = await paste(page, LLAMA);
    await window.getByRole("radio", { name: "Q8_0" }).check();
    await window.getByRole("button", { name: "Register a model" }).click();
    await page.getByText("Failed", { exact: true }).first().waitFor();
    const reason = page.locator(".pull-error");
    await reason.waitFor();
    expect(await reason.textContent()).toContain("403");
    await keepPicture(page, "models-failed");
    await page.goto("/dashboard/models?state=failed");
    await rowOf(page, LLAMA).getByRole("link").click();
    hub.faults.clear();
    const before = hub.requests.length;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("The nodes try again").waitFor();
    await eventually(() => hub.requests.length > before || undefined);
    await remove(program, `hf/${LLAMA}/Llama-3-8B-Q8_0.gguf`);
    expect(faults).toEqual([]);
  });

  test("short names are added and removed; one that is taken says whose it is", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto(addressOf(`hf/${REPO}`));
    const add = async (alias: string) => {
      await page.getByLabel("Further short name").fill(alias);
      await page.getByRole("button", { name: "Add", exact: true }).click();
    };
    await add("no/slash");
    await page.getByText("an alias begins with a letter or digit").waitFor();
    await add("second");
    await page.getByText("second was added").waitFor();
    await page.getByRole("button", { name: "Remove second" }).click();
    await page.getByText("second was removed").waitFor();
    await page.getByRole("button", { name: "Remove second" }).waitFor({ state: "detached" });
    const model = await fetch(`${program.url}/v1/models/tiny-hub`);
    expect(((await model.json()) as { id: string }).id).toBe(`hf/${REPO}`);
    expect((await fetch(`${program.url}/v1/models/second`)).status).toBe(404);
    expect(faults).toEqual([]);
  });

  test("settings are checked at their fields, kept, and taken back", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto(addressOf(`hf/${REPO}`));
    await page.getByRole("button", { name: "Change settings" }).click();
    const window = page.getByRole("dialog");
    const save = window.getByRole("button", { name: "Save" });
    await window.getByLabel("Context (tokens)").fill("many");
    await window.getByLabel("Further settings").fill("top_p=7");
    await save.click();
    await window.getByText("must be a whole number from 0").waitFor();
    await window.getByText("top_p: must be a number from 0 to 1").waitFor();
    await keepPicture(page, "models-settings-wrong");
    const isIn = (label: string) =>
      window.getByLabel(label).evaluate((field) => field === document.activeElement);
    expect(await isIn("Context (tokens)")).toBe(true);
    await window.getByLabel("Further settings").press("End");
    await page.keyboard.type("00");
    expect(await window.getByLabel("Further settings").inputValue()).toBe("top_p=700");
    expect(await isIn("Further settings")).toBe(true);
    await window.getByLabel("Context (tokens)").fill("1024");
    await window.getByLabel("Flash attention").selectOption("on");
    await window.getByLabel("Further settings").fill("no-such-flag=1");
    await save.click();
    // Only llama.cpp's own parser knows that.
    await window.getByText(/args: .*no-such-flag/).waitFor();
    await window.getByLabel("Further settings").fill("temp=0.2\ncache-reuse=256");
    await save.click();
    await page.getByText(`The settings of hf/${REPO} were changed`).waitFor();
    await page.reload();
    await page.getByText("1024", { exact: true }).waitFor();
    const settingsOf = async () => {
      const detail = await fetch(`${program.url}/api/models/hf/${REPO}`);
      return ((await detail.json()) as { settings: object | null }).settings;
    };
    const kept = { ctx_size: 1024, flash_attn: "on", temp: 0.2, args: ["--cache-reuse", "256"] };
    expect(await settingsOf()).toEqual(kept);
    await page.getByRole("button", { name: "Change settings" }).click();
    await window.getByLabel("Further settings").fill("");
    await window.getByLabel("Context (tokens)").fill("");
    await save.click();
    await window.waitFor({ state: "hidden" });
    expect(await settingsOf()).toEqual({ flash_attn: "on" });
    expect(faults).toEqual([]);
  });

  test("a model gets a description, and is for some nodes only", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto(`${addressOf(`hf/${REPO}`)}?open=edit`);
    const window = page.getByRole("dialog");
    await window.getByLabel("Description").fill(HOSTILE);
    await window.getByLabel("Goes to these nodes").fill("local, other");
    await window.getByLabel("Copies").fill("none");
    await window.getByRole("button", { name: "Save" }).click();
    await window.getByText("`replicas` must be a whole number").waitFor();
    await window.getByLabel("Copies").fill("1");
    await window.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: HOSTILE, level: 1 }).waitFor();
    await page.getByText("local, other · 1 copy").waitFor();
    const change = { display_name: null, nodes: null, replicas: null };
    const body = JSON.stringify(change);
    const headers = { "content-type": "application/json" };
    await fetch(`${program.url}/api/models/hf/${REPO}`, { method: "PATCH", headers, body });
    // Somebody else has changed it: the page learns that by itself.
    await page.getByRole("heading", { name: `hf/${REPO}`, level: 1 }).waitFor();
    expect(faults).toEqual([]);
  });

  test("a model is loaded, pinned, unpinned and unloaded where it is served", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto(addressOf(TINY));
    await page.getByText("was found on an endpoint").waitFor();
    const place = page.locator(".place-list li").filter({ hasText: "local" });
    const press = (name: string) => place.getByRole("button", { name: `${name} · local` }).click();
    await press("Pin");
    await place.getByText("Pinned").waitFor();
    await place.getByText("Loaded", { exact: true }).waitFor();
    await keepPicture(page, "models-found");
    await press("Unpin");
    await place.getByText("Pinned").waitFor({ state: "detached" });
    await press("Unload");
    await place.getByText("Not loaded").waitFor();
    await page.goto("/dashboard/models");
    await rowOf(page, TINY).getByText("Ready").waitFor();
    // Somebody else loads it: the list learns that by itself.
    await page.getByText("Live", { exact: true }).waitFor();
    await post(`${program.url}/api/models/load`, { model: TINY });
    await rowOf(page, TINY).getByText("Loaded").waitFor();
    expect(faults).toEqual([]);
  });

  test("what nobody has, what fits no filter and what cannot be asked says so", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.goto("/dashboard/models?search=nothing-is-called-so");
    await page.getByText("No model fits the filter").waitFor();
    await page.goto(addressOf("hf/gone/model"));
    await page.getByText("It could not be loaded").waitFor();
    await page.route(/\/v1\/models/, (route) => route.abort());
    await page.goto("/dashboard/models");
    await page.getByText("llmlb does not answer").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await rowOf(page, TINY).waitFor();
  });

  test.each(LOOKS)("every view fits its window, and keeps nobody out: %p", async (look) => {
    await using opened = await open(look);
    const { page, faults } = opened;
    const views = {
      list: "/dashboard/models",
      one: addressOf(`hf/${REPO}`),
      found: addressOf(TINY),
      preview: `/dashboard/models?open=register&repo=${LLAMA}`,
      settings: `${addressOf(`hf/${REPO}`)}?open=settings`,
      edit: `${addressOf(`hf/${REPO}`)}?open=edit`,
      question: `${addressOf(`hf/${REPO}`)}?open=delete`,
    };
    for (const [name, path] of Object.entries(views)) {
      await page.goto(path);
      await page.locator("h1").waitFor();
      await page
        .locator(SHOWN[name] ?? "")
        .first()
        .waitFor();
      await keepPicture(page, `models-${name}-${look.theme}-${look.language}-${look.width}`);
      expect([name, await overflow(page), await barriers(page)]).toEqual([name, 0, []]);
    }
    expect(faults).toEqual([]);
  });

  test("deleting says what goes with it", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto(addressOf(`hf/${REPO}`));
    await page.getByRole("button", { name: "Delete" }).click();
    const question = page.getByRole("alertdialog");
    await question.getByText("1 endpoint has it: nodes delete its files").waitFor();
    await question.getByText("Its short names are free again: tiny-hub.").waitFor();
    await question.getByText("Its settings are lost.").waitFor();
    await question.getByRole("button", { name: "Delete" }).click();
    await page.getByText(`hf/${REPO} was deleted`).waitFor();
    await page.getByRole("heading", { name: "Models", level: 1 }).waitFor();
    await rowOf(page, REPO).waitFor({ state: "detached" });
    expect((await fetch(`${program.url}/api/models/hf/${REPO}`)).status).toBe(404);
    expect(faults).toEqual([]);
  });
});
