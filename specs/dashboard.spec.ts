import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { TINY } from "../src/testkit/clients.ts";
import { logIn, openPage } from "../src/testkit/openpage.ts";
import { Program } from "../src/testkit/program.ts";
import { HOSTILE } from "../src/testkit/usagehome.ts";

setDefaultTimeout(90_000);

const FIRST_LOAD_BYTES_MAX = 250_000;
const chromium = findChromium();

beforeAll(async () => {
  await buildDashboard();
});

describe.skipIf(chromium === undefined)("without access control", () => {
  let program: Program;
  beforeAll(async () => {
    program = await Program.start();
  });
  afterAll(() => program.stop());

  const open = () => openPage(chromium ?? "", program.url);

  test("a browser comes to the overview, which is live", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/dashboard");
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByText("Nothing needs attention.").waitFor();
    expect(faults).toEqual([]);
  });

  test("the first load is small, and comes from here alone", async () => {
    await using opened = await open();
    const { page } = opened;
    const hosts = new Set<string>();
    const files = new Set<string>();
    page.on("response", (response) => {
      hosts.add(new URL(response.url()).host);
      if (response.url().includes("/dashboard")) files.add(response.url());
    });
    await page.goto("/dashboard", { waitUntil: "load" });
    await page.getByText("Live", { exact: true }).waitFor();
    expect([...hosts]).toEqual([new URL(program.url).host]);
    let bytes = 0;
    for (const file of files) {
      const packed = { headers: { "accept-encoding": "gzip" }, decompress: false };
      bytes += (await (await fetch(file, packed)).arrayBuffer()).byteLength;
    }
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(FIRST_LOAD_BYTES_MAX);
  });

  test("an endpoint is added, tested and deleted; hostile names are text", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/endpoints");
    await page.getByRole("button", { name: "Add endpoint" }).click();
    const window = page.getByRole("dialog");
    // The back button closes the window and stays on the screen.
    await window.waitFor();
    await page.goBack();
    await window.waitFor({ state: "detached" });
    expect(new URL(page.url()).pathname).toBe("/dashboard/endpoints");
    await page.getByRole("button", { name: "Add endpoint" }).click();
    await window.getByLabel("Name").fill(HOSTILE);
    await window.getByLabel("Address").fill("not an address");
    await window.getByRole("button", { name: "Add endpoint" }).click();
    await window.getByText("must be a URL").waitFor();
    await window.getByLabel("Address").fill("http://127.0.0.1:9");
    await window.getByRole("button", { name: "Add endpoint" }).click();
    await page.getByText(`${HOSTILE} was added`).waitFor();
    await page.getByRole("link", { name: HOSTILE }).click();
    await page.getByRole("heading", { name: HOSTILE, level: 1 }).waitFor();
    await page.getByRole("button", { name: "Test" }).click();
    const refusal = page.locator(".toast").filter({ hasText: `${HOSTILE} failed the test` });
    await refusal.waitFor();
    // An error stays until somebody closes it.
    await page.waitForTimeout(7000);
    expect(await refusal.isVisible()).toBe(true);
    await refusal.locator("[aria-label=Close]").click();
    await refusal.waitFor({ state: "detached" });
    await page.goto("/dashboard");
    await page.getByText(`${HOSTILE} does not answer`).waitFor();
    await page.getByRole("link", { name: "Look at it" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("Its key, its notes and its settings are lost").waitFor();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText(`${HOSTILE} was deleted`).waitFor();
    await page.getByRole("link", { name: HOSTILE }).waitFor({ state: "detached" });
    expect(faults).toEqual([]);
  });

  test("the join command has a fresh token", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.goto("/dashboard/endpoints");
    const command = async () => {
      await page.getByRole("button", { name: "Let a node join" }).click();
      const text = await page.getByRole("dialog").locator("pre").textContent();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      return text;
    };
    const first = await command();
    expect(first).toStartWith(`llmlb node --host 0.0.0.0 --join ${program.url} --token `);
    expect(await command()).not.toBe(first);
  });

  test("a chat is answered, kept over a reload, and found among the requests", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/playground");
    await page.getByText("Parameters", { exact: true }).click();
    await page.getByLabel("Most tokens").fill("8");
    await page.getByLabel("Message").fill("Hello there");
    await page.keyboard.press("Enter");
    await page.getByText(/first token .* tokens · /).waitFor();
    await page.reload();
    await page.locator(".said").getByText("Hello there").waitFor();
    await page.getByRole("button", { name: "Regenerate" }).click();
    await page.getByText(/first token/).waitFor();
    await page.getByRole("link", { name: "Requests" }).click();
    const row = page.getByRole("row").filter({ hasText: TINY }).first();
    await row.getByRole("link").click();
    await page.getByText("What took how long").waitFor();
    await page.getByText("Attempt at local").waitFor();
    expect(faults).toEqual([]);
  });

  test("a question whose answer was left in the middle is still there", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/playground");
    await page.route("**/v1/chat/completions", () => undefined); // It never comes.
    await page.getByLabel("Message").fill("Left alone");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.getByRole("link", { name: "Requests" }).click();
    await page.getByRole("heading", { name: "Requests" }).waitFor();
    await page.getByRole("link", { name: "Playground" }).click();
    await page.locator(".said").getByText("Left alone").waitFor();
    expect(faults).toEqual([]);
  });

  test("a key is shown once, and revoked after a question", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.goto("/dashboard/keys");
    await page.getByRole("button", { name: "Make a key" }).click();
    await page.getByRole("dialog").getByLabel("Name").first().fill("shown once");
    await page.getByRole("dialog").getByRole("button", { name: "Make a key" }).click();
    const shown = page.getByRole("dialog").locator("pre");
    expect(await shown.textContent()).toMatch(/^sk_\w{32}$/);
    const key = (await shown.textContent()) ?? "";
    await page.getByRole("button", { name: "I have kept it" }).click();
    await page.reload();
    const row = page.getByRole("row").filter({ hasText: "shown once" });
    await row.waitFor();
    expect(await page.content()).not.toContain(key);
    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
    await row.getByText("Revoked").waitFor();
  });
});

describe.skipIf(chromium === undefined)("with access control", () => {
  let program: Program;
  beforeAll(async () => {
    const env = { LLMLB_ADMIN_PASSWORD: "correct horse" };
    program = await Program.start({ args: ["--access", "required"], env });
  });
  afterAll(() => program.stop());

  test("a log-in is refused, let in, and asked for again over what is being done", async () => {
    await using opened = await openPage(chromium ?? "", program.url);
    const { page, context } = opened;
    await page.goto("/dashboard/endpoints");
    await logIn(page, "admin", "wrong");
    await page.getByText("Logging in failed").waitFor();
    await logIn(page, "admin", "correct horse");
    await page.getByRole("heading", { name: "Endpoints" }).waitFor();
    // Until then its events are asked for, and refused without cookies.
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Add endpoint" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("half typed");
    await context.clearCookies();
    await page.getByRole("dialog").getByLabel("Address").fill("http://127.0.0.1:9");
    await page.getByRole("dialog").getByRole("button", { name: "Add endpoint" }).click();
    await page.getByText("Your log-in has ended").waitFor();
    await logIn(page, "admin", "correct horse");
    await page.getByText("Your log-in has ended").waitFor({ state: "hidden" });
    expect(await page.getByRole("dialog").getByLabel("Name").inputValue()).toBe("half typed");
  });
});
