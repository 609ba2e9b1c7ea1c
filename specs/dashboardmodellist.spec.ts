import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { openAs } from "../src/testkit/openpage.ts";
import { People } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { fakeEndpoint } from "../src/testkit/servers/endpoint.ts";
import { type Hub, startHub } from "../src/testkit/servers/hub/hub.ts";
import { tinyRepo, variantsRepo } from "../src/testkit/servers/hub/samples.ts";
import { HOSTILE } from "../src/testkit/usagehome.ts";

setDefaultTimeout(90_000);

const REPO = "llmlb/tiny-GGUF";
const LLAMA = "acme/Llama-3-8B-GGUF";

const chromium = findChromium();
const rowOf = (page: Page, text: string) => page.getByRole("row").filter({ hasText: text }).first();
const addressOf = (id: string) => `/dashboard/models/${encodeURIComponent(id)}`;

describe.skipIf(chromium === undefined)("with access control, without nodes", () => {
  const MANY = 5000;
  let hub: Hub;
  let program: Program;
  let people: People;
  let many: ReturnType<typeof fakeEndpoint>;
  beforeAll(async () => {
    await buildDashboard();
    hub = await startHub();
    await hub.add(tinyRepo(REPO));
    await hub.add(variantsRepo(LLAMA));
    const names = Array.from({ length: MANY - 1 }, (_, i) => `model-${String(i).padStart(4, "0")}`);
    many = fakeEndpoint([HOSTILE, ...names], () => new Response());
    program = await Program.start({
      ...{ mode: "balancer", untilReady: false },
      args: ["--access", "required", "--endpoint", `many=${many.url}`],
      env: { LLMLB_ADMIN_PASSWORD: "correct horse", HF_ENDPOINT: hub.url },
    });
    people = new People(program);
    await people.local("POST /api/models/register", { repo: REPO, aliases: ["tiny-hub"] });
    await people.settled("eve");
  });
  afterAll(async () => {
    await program?.stop();
    many?.[Symbol.dispose]();
    await hub?.[Symbol.asyncDispose]();
  });

  const open = async (name: string, path: string) =>
    openAs(chromium ?? "", await people.loggedIn(name), path);

  test("a list of thousands draws what is in sight, and is searched and sorted", async () => {
    await using opened = await open("admin", "/dashboard/models");
    const { page, faults } = opened;
    await rowOf(page, "model-0000").waitFor();
    const table = page.getByRole("table", { name: "Models" });
    expect(await table.getAttribute("aria-rowcount")).toBe(String(MANY + 2));
    const body = page.locator(".table-body");
    await body.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await rowOf(page, "model-4998").waitFor();
    expect(await page.getByRole("row").count()).toBeLessThan(80);
    await page.getByLabel("Search names and endpoints").fill("model-2345");
    await rowOf(page, "model-2345").waitFor();
    expect(await table.getAttribute("aria-rowcount")).toBe("2");
    await page.reload();
    await rowOf(page, "model-2345").waitFor();
    await page.getByLabel("Search names and endpoints").fill("");
    await page.getByLabel("Source").selectOption("registered");
    await rowOf(page, REPO).getByText("Waiting").waitFor();
    await page.getByLabel("Source").selectOption("");
    await page.getByRole("button", { name: "Name" }).click();
    await rowOf(page, "model-4998").waitFor();
    await page.getByLabel("Search names and endpoints").fill("<img");
    await rowOf(page, HOSTILE).getByRole("link", { name: HOSTILE }).click();
    await page.getByRole("heading", { name: HOSTILE, level: 1 }).waitFor();
    expect(faults).toEqual([]);
  });

  test("a viewer sees models and how it is with them, and no admin's action", async () => {
    await using opened = await open("eve", "/dashboard/models?source=registered");
    const { page, faults } = opened;
    await rowOf(page, REPO).getByRole("link").waitFor();
    expect(await page.getByRole("button", { name: "Register a model" }).count()).toBe(0);
    await page.goto("/dashboard/models?open=register");
    await rowOf(page, "model-0000").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
    for (const open of ["", "?open=edit", "?open=settings", "?open=delete"]) {
      await page.goto(addressOf(`hf/${REPO}`) + open);
      await page.getByText("tiny-hub").waitFor();
      await page.getByText("There is no node that could fetch it.").waitFor();
      const main = page.getByRole("main");
      expect(await main.getByRole("button").allTextContents()).toEqual([]);
      expect(await page.getByLabel("Further short name").count()).toBe(0);
      expect(await page.getByRole("dialog").or(page.getByRole("alertdialog")).count()).toBe(0);
    }
    const eve = await people.loggedIn("eve");
    expect((await eve.send("POST /api/models/preview", { repo: REPO })).status).toBe(403);
    expect(faults).toEqual([]);
  });

  test("an admin is offered what he may do, and how to let a node join", async () => {
    await using opened = await open("admin", addressOf(`hf/${REPO}`));
    const { page, faults } = opened;
    await page.getByRole("button", { name: "Delete" }).waitFor();
    await page.getByRole("button", { name: "Change settings" }).waitFor();
    await page.getByRole("link", { name: "Let a node join" }).click();
    await page.getByRole("dialog").locator("pre").waitFor();
    await page.goto(`/dashboard/models?open=register&repo=${LLAMA}`);
    await page.getByRole("radio").first().waitFor();
    await page.getByText("There is no node that could fetch it.").waitFor();
    expect(faults).toEqual([]);
  });
});
