import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { fillEndpoints, fillRequests } from "../src/testkit/crowdedhome.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { keepPicture, openPage } from "../src/testkit/openpage.ts";
import { Program } from "../src/testkit/program.ts";
import { cuttableWay } from "../src/testkit/servers/cuttable.ts";
import { fakeEndpoint } from "../src/testkit/servers/endpoint.ts";

setDefaultTimeout(90_000);

const chromium = findChromium();

const rowOf = (page: Page, text: string) => page.getByRole("row").filter({ hasText: text }).first();

/** As many as the API is asked for at once. */
const PAGE = 100;

/** For how long a message is still shown, of which nobody has to do anything. */
function shownMs(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const beganAt = performance.now();
    while (document.querySelector(".toast") !== null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return performance.now() - beganAt;
  });
}

describe.skipIf(chromium === undefined)("a page that is open", () => {
  const home = temporaryHome();
  let program: Program;
  beforeAll(async () => {
    await buildDashboard();
    await fillRequests(home.path, 1300);
    const args = ["--health-interval", "1s"];
    program = await Program.start({
      ...{ mode: "balancer", untilReady: false, home: home.path, args },
    });
  });
  afterAll(async () => {
    await program?.stop();
    home[Symbol.dispose]();
  });

  const open = (url = program.url) => openPage(chromium ?? "", url);
  const send = async (method: string, path: string, body?: object) => {
    const headers = { "content-type": "application/json" };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(program.url + path, { method, headers, ...text });
    return response.status === 204 ? undefined : await response.json();
  };

  test("a request that runs is opened, and is whole there once it has ended", async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    using endpoint = fakeEndpoint(["m"], async () => {
      await held;
      return Response.json({ choices: [{ message: { content: "Hello" } }] });
    });
    const { id } = await send("POST", "/api/endpoints", { name: "slow", base_url: endpoint.url });
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/requests?model=m");
    const running = send("POST", "/v1/chat/completions", {
      model: "m",
      messages: [{ role: "user", content: "" }],
    });
    await rowOf(page, "running").getByRole("link").click();
    await page.getByText("It is being answered.").waitFor();
    release();
    await running;
    await page.getByText("What took how long").waitFor();
    expect(await page.getByText("It is being answered.").count()).toBe(0);
    await send("DELETE", `/api/endpoints/${id}`);
    expect(faults).toEqual([]);
  });

  test("says when it is not live, and goes on where it was", async () => {
    using way = await cuttableWay(program.url);
    await using opened = await open(way.url);
    const { page } = opened;
    const lastIds: (string | undefined)[] = [];
    page.on("request", async (request) => {
      const url = new URL(request.url());
      if (url.pathname !== "/api/events") return;
      const header = (await request.allHeaders())["last-event-id"];
      lastIds.push(header ?? url.searchParams.get("last_event_id") ?? undefined);
    });
    await page.goto("/dashboard/endpoints");
    await page.getByText("Live", { exact: true }).waitFor();
    way.cut();
    await page.getByText("Connecting…").first().waitFor();
    await page.getByText("Not live: reconnecting").waitFor();
    await keepPicture(page, "not-live");
    const { id } = await send("POST", "/api/endpoints", {
      ...{ name: "meanwhile", base_url: "http://127.0.0.1:9" },
    });
    way.mend();
    await page.getByText("Live", { exact: true }).waitFor();
    await rowOf(page, "meanwhile").waitFor();
    expect(await page.getByText("Not live: reconnecting").count()).toBe(0);
    expect(lastIds[0]).toBeUndefined();
    expect(lastIds.at(-1)).toMatch(/^\w+\.\d+\.\d+$/);
    await send("DELETE", `/api/endpoints/${id}`);
    await rowOf(page, "meanwhile").waitFor({ state: "detached" });
  });

  test("drains an endpoint, shows what still runs there, and undrains it again", async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    using endpoint = fakeEndpoint(["m"], async () => {
      await held;
      return Response.json({ choices: [{ message: { content: "Hello" } }] });
    });
    const { id } = await send("POST", "/api/endpoints", { name: "gpu", base_url: endpoint.url });
    const chat = () =>
      send("POST", "/v1/chat/completions", {
        model: "m",
        messages: [{ role: "user", content: "" }],
      });
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto(`/dashboard/endpoints/${id}`);
    await page.getByText("Online").waitFor();
    const running = chat();
    await page.getByText("1 / 8").waitFor();
    await page.getByRole("button", { name: "Drain" }).click();
    expect(new URL(page.url()).searchParams.get("open")).toBe("drain");
    await page.reload();
    await page.getByText(/Of the 1 that it works on, streams go on at another endpoint/).waitFor();
    await page.getByRole("alertdialog").getByRole("button", { name: "Drain" }).click();
    const done = page.locator(".toast").filter({ hasText: "gpu gets no further requests" });
    await done.waitFor();
    // What went well can be read, and then goes by itself.
    expect(await shownMs(page)).toBeGreaterThan(4000);
    await page.getByText("It is being drained: 1 requests still run on it.").waitFor();
    expect((await chat()).error.code).toBe("no_endpoint");
    release();
    await running;
    await page.getByText("nothing runs on it: it can be stopped now").waitFor();
    await keepPicture(page, "endpoint-drained");
    await page.goto("/dashboard");
    await page.getByText("gpu is drained: it gets no further requests.").waitFor();
    await page.getByRole("button", { name: "Undrain" }).click();
    await page.getByText("Nothing needs attention.").waitFor();
    expect((await chat()).choices).toHaveLength(1);
    await send("DELETE", `/api/endpoints/${id}`);
    expect(faults).toEqual([]);
  });

  test("a thousand requests of the past are narrowed down, also after a reload", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard/requests");
    const table = page.getByRole("table", { name: "Requests" });
    await table.waitFor();
    /** Waits until the table has so many rows. */
    const rows = (isEnough: (count: number) => boolean) =>
      eventually(
        async () => isEnough(Number(await table.getAttribute("aria-rowcount")) - 1) || undefined,
        20_000,
      );
    for (let i = 0; i < 10; i += 1) {
      const more = page.getByRole("button", { name: "Older ones" });
      await more.click();
      await rows((count) => count > (i + 1) * PAGE);
    }
    expect(Number(await table.getAttribute("aria-rowcount"))).toBeGreaterThan(1000);
    // Only what is in sight is drawn.
    expect(await page.locator(".table-row").count()).toBeLessThan(60);
    await page.getByLabel("Result").selectOption("error");
    await page.getByLabel("User", { exact: true }).fill("eve");
    await page.getByLabel("Model", { exact: true }).fill("rare");
    await rows((count) => count === 2);
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({
      ...{ status: "error", user: "eve", model: "rare" },
    });
    await page.reload();
    await rows((count) => count === 2);
    await table.getByRole("link").first().click();
    await page.getByText("It failed: queue_full (HTTP 429).").waitFor();
    await page.goBack();
    await rows((count) => count === 2);
    await page.getByLabel("To", { exact: true }).fill("2020-01-31");
    await page.getByText("No request fits the filter").waitFor();
    await page.getByRole("button", { name: "Show all again" }).click();
    await rowOf(page, "eve").waitFor();
    const waiting = page.waitForEvent("download");
    await page.getByLabel("Model", { exact: true }).fill("rare");
    await page.locator("a[href*='model=rare'][href*='format=json']").click();
    const exported = (await Bun.file(await (await waiting).path()).json()) as { model: string }[];
    expect(new Set(exported.map(({ model }) => model))).toEqual(new Set(["rare"]));
    expect(faults).toEqual([]);
  });

  test("the overview draws the last hour or day, and keeps which in the address", async () => {
    await using opened = await open();
    const { page, faults } = opened;
    await page.goto("/dashboard");
    await page.getByRole("button", { name: "Last day" }).click();
    await page.reload();
    expect(await page.getByRole("button", { name: "Last day" }).getAttribute("aria-pressed")).toBe(
      "true",
    );
    await page.getByText("in the last day").waitFor();
    expect(faults).toEqual([]);
  });
});

describe.skipIf(chromium === undefined)("with 5,000 endpoints", () => {
  const COUNT = 5000;
  const home = temporaryHome();
  let program: Program;
  beforeAll(async () => {
    await buildDashboard();
    await fillEndpoints(home.path, COUNT);
    const args = ["--health-interval", "1h"];
    program = await Program.start({
      ...{ mode: "balancer", untilReady: false, home: home.path, args },
    });
  });
  afterAll(async () => {
    await program?.stop();
    home[Symbol.dispose]();
  });

  test("the list is sorted, filtered and scrolled, and draws what is in sight", async () => {
    await using opened = await openPage(chromium ?? "", program.url);
    const { page, faults } = opened;
    await page.goto("/dashboard/endpoints");
    await rowOf(page, "gpu 1").waitFor();
    const table = page.getByRole("table", { name: "Endpoints" });
    expect(await table.getAttribute("aria-rowcount")).toBe(String(COUNT + 1));
    await page.locator(".table-body").evaluate((one) => one.scrollTo(0, one.scrollHeight));
    await rowOf(page, `gpu ${COUNT}`).waitFor();
    expect(await page.locator(".table-row").count()).toBeLessThan(60);
    await page.getByRole("button", { name: "Name" }).click();
    await page.locator(".table-body").evaluate((one) => one.scrollTo(0, 0));
    await rowOf(page, `gpu ${COUNT}`).waitFor();
    await page.getByLabel("Search names and addresses").fill("gpu 1234");
    await rowOf(page, "gpu 1234").waitFor();
    expect(await table.getAttribute("aria-rowcount")).toBe("2");
    expect(faults).toEqual([]);
  });

  test("what needs attention stays short, and leads to the rest", async () => {
    await using opened = await openPage(chromium ?? "", program.url);
    const { page } = opened;
    await page.goto("/dashboard");
    await page.getByText(/4,980 further endpoints need attention/).waitFor();
    await page.getByRole("link", { name: "Look at them" }).click();
    await rowOf(page, "Offline").waitFor();
  });
});
