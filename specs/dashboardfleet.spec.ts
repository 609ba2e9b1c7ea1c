import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { TINY } from "../src/testkit/clients.ts";
import {
  barriers,
  keepPicture,
  type Look,
  logIn,
  openPage,
  overflow,
} from "../src/testkit/openpage.ts";
import { PASSWORD, People } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { fakeEndpoint } from "../src/testkit/servers/endpoint.ts";
import { FakeHost } from "../src/testkit/servers/host.ts";
import { HOSTILE } from "../src/testkit/usagehome.ts";

setDefaultTimeout(90_000);

const chromium = findChromium();

beforeAll(async () => {
  await buildDashboard();
});

describe.skipIf(chromium === undefined)("without access control", () => {
  let program: Program;
  let gpus: FakeHost;
  let vllm: ReturnType<typeof fakeEndpoint>;
  beforeAll(async () => {
    program = await Program.start();
    gpus = new FakeHost({
      devices: [
        { name: "CUDA0", total: 80, other: 4 },
        { name: "CUDA1", total: 80, other: 0 },
      ],
      models: {
        big: { state: "ready", bytes: { CUDA0: 40, CUDA1: 36, host: 2 } },
        coming: { state: "loading", bytes: { CUDA1: 20 } },
        idle: { state: "unloaded" },
        [HOSTILE]: { state: "failed" },
      },
    });
    vllm = fakeEndpoint(["served"], () => new Response("no", { status: 500 }));
    await add("gpu-host", gpus.url, 4);
    await add("other-server", vllm.url, 2);
  });
  afterAll(async () => {
    await program.stop();
    gpus[Symbol.dispose]();
    vllm[Symbol.dispose]();
  });

  const open = (look: Partial<Look> = {}) => openPage(chromium ?? "", program.url, look);
  const api = (route: string, body: object = {}) => {
    const [method = "", path = ""] = route.split(" ");
    const headers = { "content-type": "application/json" };
    return fetch(program.url + path, { method, headers, body: JSON.stringify(body) });
  };

  /** Adds an endpoint; returns its id once it was checked. */
  async function add(name: string, base_url: string, slots: number): Promise<string> {
    const made = await api("POST /api/endpoints", { name, base_url, slots });
    const { id } = (await made.json()) as { id: string };
    await api(`POST /api/endpoints/${id}/test`);
    return id;
  }

  test("memories are filled by models, as the bytes say; words say the same", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/fleet");
    const host = page.getByRole("listitem").filter({ hasText: "gpu-host" });
    await host.waitFor();
    const share = (bar: number, part: string) =>
      host
        .locator(".memory-bar")
        .nth(bar)
        .evaluate((element, selector) => {
          const whole = element.getBoundingClientRect().width;
          const width = element.querySelector(selector)?.getBoundingClientRect().width ?? 0;
          return Math.round((100 * width) / whole);
        }, part);
    expect(await share(0, "[data-model=big]")).toBe(50);
    expect(await share(0, ".is-other")).toBe(5);
    expect(await share(0, ".is-free")).toBe(45);
    expect(await share(1, "[data-model=big]")).toBe(45);
    expect(await share(1, ".is-loading")).toBe(25);
    const words = await page.getByRole("link", { name: "gpu-host" }).evaluate((link) => {
      const id = link.getAttribute("aria-describedby") ?? "";
      return document.getElementById(id)?.textContent;
    });
    expect(words).toStartWith("Online. 0 of 4 slots busy. ");
    expect(words).toContain("big, 40 GB, loaded; 4 GB used by others; 36 GB free");
    expect(words).toContain("coming, 20 GB, loading");
    expect(words).toContain(`idle (cold)`);
    expect(words).toContain(`${HOSTILE} (failed)`);
    await host.getByRole("link", { name: "big 40 GB loaded" }).waitFor();
    const other = page.getByRole("listitem").filter({ hasText: "other-server" });
    await other.getByText("served").first().waitFor();
    expect(await other.locator(".memory-bar").count()).toBe(0);
    expect(faults).toEqual([]);
  });

  test("slots light up while requests run, and queues are told by model", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    const gate = Promise.withResolvers<void>();
    using held = fakeEndpoint(["held"], async () => {
      await gate.promise;
      return Response.json({ choices: [{ message: { content: "done" } }] });
    });
    const id = await add("held-host", held.url, 2);
    await page.goto("/dashboard/fleet");
    const host = page.getByRole("listitem").filter({ hasText: "held-host" });
    await host.waitFor();
    expect(await host.locator(".slot-cell").count()).toBe(2);
    expect(await host.locator(".is-lit").count()).toBe(0);
    const body = { model: "held", messages: [{ role: "user", content: "Hello" }] };
    const asked = [1, 2, 3, 4, 5].map(() => api("POST /v1/chat/completions", body));
    await host.locator(".is-lit").nth(1).waitFor();
    const strip = page.getByRole("region", { name: "Models in memory" });
    await strip.getByRole("link", { name: /held .* 2 running .*3 waiting/ }).waitFor();
    gate.resolve();
    await Promise.all(asked);
    await host.locator(".is-lit").first().waitFor({ state: "detached" });
    await strip.getByText("waiting").waitFor({ state: "detached" });
    await api(`POST /api/endpoints/${id}/drain`);
    await host.getByText("Draining", { exact: true }).waitFor();
    held.down = true;
    for (let i = 0; i < 2; i += 1) await api(`POST /api/endpoints/${id}/test`);
    await host.getByText("Offline", { exact: true }).waitFor();
    await api(`DELETE /api/endpoints/${id}`);
    await host.waitFor({ state: "detached" });
    expect(faults).toEqual([]);
  });

  test("a model that is unloaded and loaded again is seen to go and to come", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.goto("/dashboard/fleet");
    const host = page.getByRole("listitem").filter({ hasText: "local" });
    await host.locator(`.part.is-loaded[data-model="${TINY}"]`).waitFor();
    await api("POST /api/models/unload", { model: TINY });
    await host.locator(".host-line.is-cold").filter({ hasText: TINY }).waitFor();
    expect(await host.locator(".part.is-loaded").count()).toBe(0);
    await api("POST /api/models/load", { model: TINY });
    await host.locator(`.part.is-loaded[data-model="${TINY}"]`).waitFor();
  });

  test("keys reach every host, which tells more, and open its page", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.goto("/dashboard/fleet");
    const link = page.getByRole("link", { name: "gpu-host" });
    await link.waitFor();
    const box = page.getByLabel("Search hosts and models");
    await box.focus();
    const isThere = () => link.evaluate((element) => element === document.activeElement);
    for (let i = 0; i < 40 && !(await isThere()); i += 1) await page.keyboard.press("Tab");
    expect(await isThere()).toBe(true);
    const tip = page.locator(".host-tip");
    await tip.getByText("Other use").first().waitFor();
    await page.keyboard.press("Escape");
    await tip.waitFor({ state: "detached" });
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "gpu-host", level: 1 }).waitFor();
  });

  test("a click on a model opens its page, beside it that of the host", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.goto("/dashboard/fleet");
    await page.locator(`.host [data-model="${TINY}"]`).click();
    await page.getByRole("heading", { name: TINY, level: 1 }).waitFor();
    await page.goBack();
    await page.locator(".host .slot-cells").first().click();
    await page.getByRole("heading", { name: "gpu-host", level: 1 }).waitFor();
  });

  test("what is looked for stands in the address", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.goto("/dashboard/fleet");
    await page.getByLabel("Search hosts and models").fill("big");
    await page.getByLabel("Size").selectOption("small");
    await page.locator(".host.is-small").waitFor();
    expect(await page.locator(".host").count()).toBe(1);
    await page.reload();
    await page.locator(".host.is-small").filter({ hasText: "gpu-host" }).waitFor();
    expect(await page.locator(".host").count()).toBe(1);
    await page.getByLabel("State").selectOption("offline");
    await page.getByText("No host fits the filter").waitFor();
  });

  test("nothing moves for those who want no motion", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.goto("/dashboard/fleet");
    const loading = page.locator(".part.is-loading").first();
    await loading.waitFor();
    const duration = await loading.evaluate(
      (element) => getComputedStyle(element, "::before").animationDuration,
    );
    expect(duration).toBe("0s");
  });

  test.each<Look & { size: string }>([
    { theme: "light", language: "en", width: "wide", size: "large" },
    { theme: "dark", language: "ja", width: "wide", size: "medium" },
    { theme: "light", language: "ja", width: "phone", size: "medium" },
    { theme: "dark", language: "en", width: "phone", size: "small" },
  ])("it fits its window: %p", async ({ size, ...look }) => {
    await using opened = await open(look);
    const { page, faults } = opened;
    await page.goto(`/dashboard/fleet?size=${size}`);
    await page.locator(".host").nth(2).waitFor();
    await keepPicture(page, `fleet-${look.theme}-${look.language}-${look.width}`);
    const cut = await page
      .locator(".host")
      .evaluateAll((hosts) =>
        hosts
          .filter((host) => host.scrollHeight > host.clientHeight + 1)
          .map((one) => one.className),
      );
    expect([await overflow(page), await barriers(page), cut, faults]).toEqual([0, [], [], []]);
  });

  test("without an answer it says so, and goes on when there is one", async () => {
    await using opened = await open();
    const { page } = opened;
    await page.route("**/api/endpoints", (route) => route.abort());
    await page.goto("/dashboard/fleet");
    await page.getByText("llmlb does not answer").waitFor();
    await page.unroute("**/api/endpoints");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".host").first().waitFor();
  });
});

describe.skipIf(chromium === undefined)("with access control", () => {
  let program: Program;
  beforeAll(async () => {
    const env = { LLMLB_ADMIN_PASSWORD: PASSWORD };
    const args = ["--access", "required"];
    program = await Program.start({ args, env, mode: "balancer", untilReady: false });
    await new People(program).settled("viewer");
  });
  afterAll(() => program.stop());

  test.each([
    ["admin", 1],
    ["viewer", 0],
  ])("an empty fleet, as %s sees it", async (name, buttons) => {
    await using opened = await openPage(chromium ?? "", program.url);
    const { page } = opened;
    await page.goto("/dashboard/fleet");
    await logIn(page, name, PASSWORD);
    await page.getByText("There is no host yet").waitFor();
    expect(await page.getByRole("link", { name: "Add one" }).count()).toBe(buttons);
  });
});
