// What the dashboard weighs and how fast it is: `npm run bench dashboard`. The size of the first
// load and of each screen's own code; how long it takes until a screen is there; frames while a
// list of 5,000 endpoints scrolls; the balancer's processor time with 100 pages that listen. Needs
// Chromium and Linux.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { SCREENS } from "../../src/dashboard/screens/screens.ts";
import { findChromium } from "../../src/testkit/chromium.ts";
import { fillEndpoints } from "../../src/testkit/crowdedhome.ts";
import { Program } from "../../src/testkit/program.ts";
import { visitScreen } from "../../src/testkit/screens.ts";
import { fakeEndpoint } from "../../src/testkit/servers/endpoint.ts";
import { buildDashboard } from "../dashboard.ts";
import { median } from "./rig/load.ts";
import { cpuSeconds } from "./rig/process.ts";

const FIRST_LOAD_BYTES_MAX = 250_000;
const INTERACTIVE_MS_MAX = 1000;
const LOADS = 7;
const ENDPOINTS = 5000;
const SCROLL_FRAMES = 240;
const SCROLL_PX = 300;
const STREAMS = 100;
const LISTEN_MS = 20_000;
/** Requests a second while pages listen. */
const REQUESTS_PER_S = 5;

async function main(): Promise<void> {
  const path = findChromium();
  if (path === undefined) return;
  await buildDashboard();
  const folder = mkdtempSync(join(tmpdir(), "llmlb-bench-"));
  const browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
  try {
    await withProgram(join(folder, "few"), async (program) => {
      await sizes(browser, program);
      await loads(browser, program);
      await listeners(program);
    });
    const home = join(folder, "many");
    await fillEndpoints(home, ENDPOINTS);
    await withProgram(home, (program) => frames(browser, program));
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withProgram(home: string, run: (program: Program) => Promise<void>): Promise<void> {
  const args = ["--health-interval", "1h"];
  const program = await Program.start({ mode: "balancer", untilReady: false, home, args });
  try {
    await run(program);
  } finally {
    await program.stop();
  }
}

function print(name: string, value: string, isMissed = false): void {
  process.stdout.write(`${name.padEnd(44)} ${value}${isMissed ? "  MISSED" : ""}\n`);
}

const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

/** A page of a browser that knows nothing. */
async function freshPage(browser: Browser, { url }: Program): Promise<Page> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1280, height: 800 },
  });
  return context.newPage();
}

/** The bytes of the page's own files, as compressed, of the first load and then of each screen. */
async function sizes(browser: Browser, program: Program): Promise<void> {
  const page = await freshPage(browser, program);
  const files = new Set<string>();
  page.on("response", (response) => {
    if (response.url().includes("/dashboard")) files.add(response.url());
  });
  const known = new Set<string>();
  const sum = async (coding: "gzip" | "br", of: readonly string[]) => {
    let bytes = 0;
    for (const file of of) bytes += await bytesOf(file, coding);
    return bytes;
  };
  for (const [i, { name, path }] of SCREENS.entries()) {
    await visitScreen(page, path);
    const more = [...files].filter((file) => !known.has(file) && !isPage(file, i));
    const gzip = await sum("gzip", more);
    const br = await sum("br", more);
    for (const file of more) known.add(file);
    const text = `${kB(gzip)} gzip, ${kB(br)} br, ${more.length} files`;
    if (i === 0) print("first load", text, gzip > FIRST_LOAD_BYTES_MAX);
    else print(`then ${name}`, text);
  }
  await page.context().close();
}

/** The page itself is the same at every address. */
function isPage(file: string, i: number): boolean {
  return i > 0 && !file.includes("/assets/");
}

async function bytesOf(file: string, coding: string): Promise<number> {
  const packed = { headers: { "accept-encoding": coding }, decompress: false };
  return (await (await fetch(file, packed)).arrayBuffer()).byteLength;
}

/** How long it takes, with an empty cache, until a screen's heading is there. */
async function loads(browser: Browser, program: Program): Promise<void> {
  for (const path of ["/", "/endpoints"]) {
    const times: number[] = [];
    for (let i = 0; i < LOADS; i += 1) {
      const page = await freshPage(browser, program);
      await page.addInitScript(() => {
        const watch = new MutationObserver(() => {
          if (document.querySelector("main h1") === null) return;
          Reflect.set(window, "interactiveMs", performance.now());
          watch.disconnect();
        });
        watch.observe(document, { childList: true, subtree: true });
      });
      await visitScreen(page, path);
      times.push(await page.evaluate(() => Number(Reflect.get(window, "interactiveMs"))));
      await page.context().close();
    }
    const ms = median(times);
    const text = `${Math.round(ms)} ms (${times
      .map(Math.round)
      .sort((a, b) => a - b)
      .join(" ")})`;
    print(`interactive ${path}`, text, ms > INTERACTIVE_MS_MAX);
  }
}

/** Frames while a list of many endpoints scrolls fast. */
async function frames(browser: Browser, program: Program): Promise<void> {
  await untilChecked(program);
  const page = await freshPage(browser, program);
  const beganAt = performance.now();
  await visitScreen(page, "/endpoints");
  await page.locator(".table-row").first().waitFor();
  print(`${ENDPOINTS} endpoints: first rows`, `${Math.round(performance.now() - beganAt)} ms`);
  const deltas = await page.locator(".table-body").evaluate(
    async (list, [count, px]) => {
      const next = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
      const found: number[] = [];
      let before = await next();
      for (let i = 0; i < count; i += 1) {
        list.scrollTop = (i * px) % list.scrollHeight;
        const at = await next();
        found.push(at - before);
        before = at;
      }
      return found;
    },
    [SCROLL_FRAMES, SCROLL_PX] as const,
  );
  const sorted = deltas.sort((a, b) => a - b);
  const of = (share: number) =>
    `${(sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1)} ms`;
  print(`${ENDPOINTS} endpoints: frames p50 p95 max`, [of(0.5), of(0.95), of(1)].join("  "));
  const drawn = await page.locator(".table-row").count();
  print(`${ENDPOINTS} endpoints: rows in the page`, String(drawn));
  await page.context().close();
}

/** Waits until all endpoints were found to be out of reach. */
async function untilChecked({ url }: Program): Promise<void> {
  for (;;) {
    const list = (await (await fetch(`${url}/api/endpoints?status=offline`)).json()) as {
      total: number;
    };
    if (list.total === ENDPOINTS) return;
    await Bun.sleep(1000);
  }
}

/** The balancer's processor time while nobody listens and while many do, idle and with requests. */
async function listeners(program: Program): Promise<void> {
  using endpoint = fakeEndpoint(["m"], () =>
    Response.json({ choices: [{ message: { content: "Hello" } }] }),
  );
  await post(program, "/api/endpoints", { name: "gpu", base_url: endpoint.url });
  for (const requests of [0, REQUESTS_PER_S]) {
    const alone = await share(program, requests);
    const left = new AbortController();
    const open = Array.from({ length: STREAMS }, () => listen(program, left.signal));
    const listened = await share(program, requests);
    left.abort();
    await Promise.all(open);
    const more = 100 * (listened - alone);
    const text = `${more.toFixed(2)} % of a core more (${(100 * alone).toFixed(2)} % without)`;
    print(`${STREAMS} pages listen, ${requests} requests/s`, text, requests === 0 && more > 1);
  }
}

/** The share of a core that the balancer uses. */
async function share(program: Program, requestsPerS: number): Promise<number> {
  const beganAt = performance.now();
  const before = cpuSeconds(program.pid);
  while (performance.now() - beganAt < LISTEN_MS) {
    for (let i = 0; i < requestsPerS; i += 1) {
      await post(program, "/v1/chat/completions", { model: "m", messages: [] });
    }
    await Bun.sleep(1000);
  }
  return (cpuSeconds(program.pid) - before) / ((performance.now() - beganAt) / 1000);
}

async function listen({ url }: Program, signal: AbortSignal): Promise<void> {
  try {
    const { body } = await fetch(`${url}/api/events`, { signal });
    await body?.pipeTo(new WritableStream());
  } catch {
    // It was told to leave.
  }
}

async function post({ url }: Program, path: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  await response.arrayBuffer();
}

await main();
