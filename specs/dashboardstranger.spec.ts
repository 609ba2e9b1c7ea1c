import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import type { Locator, Page } from "playwright-core";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { logIn, openPage } from "../src/testkit/openpage.ts";
import { PASSWORD, People } from "../src/testkit/people.ts";
import { Program } from "../src/testkit/program.ts";
import { type FakeEndpoint, fakeEndpoint } from "../src/testkit/servers/endpoint.ts";
import { type Hub, startHub } from "../src/testkit/servers/hub/hub.ts";
import { tinyRepo } from "../src/testkit/servers/hub/samples.ts";

setDefaultTimeout(60_000);

const REPO = "llmlb/tiny-GGUF";
const WHY = "CUDA error: out of memory";
const chromium = findChromium();

/** Somebody who goes only by what he sees, with the mouse or with the keyboard alone. */
interface Hand {
  page: Page;
  /** Clicks, or presses of keys that are no letters. */
  count: number;
  press(what: Locator): Promise<void>;
  /** Writes where the focus is, which the page has to put there. */
  write(field: Locator, text: string): Promise<void>;
  enter(): Promise<void>;
}

/** He clicks, and writes where the page lets him or where he has clicked. */
function mouse(page: Page): Hand {
  const hand: Hand = {
    ...{ page, count: 0 },
    async press(what) {
      await what.click();
      hand.count += 1;
    },
    async write(field, text) {
      if (!(await hasFocus(field))) await hand.press(field);
      await page.keyboard.type(text);
    },
    async enter() {
      await page.keyboard.press("Enter");
    },
  };
  return hand;
}

const KEYS_MAX = 60;

/** He goes from one thing to the next by the tabulator. */
function keyboard(page: Page): Hand {
  const goTo = async (what: Locator) => {
    await what.waitFor();
    for (let i = 0; !(await hasFocus(what)); i += 1) {
      if (i === KEYS_MAX) throw new Error(`The keyboard does not come to ${what}.`);
      await page.keyboard.press("Tab");
      hand.count += 1;
    }
  };
  const hand: Hand = {
    ...{ page, count: 0 },
    async press(what) {
      await goTo(what);
      await hand.enter();
    },
    async write(field, text) {
      await goTo(field);
      await page.keyboard.type(text);
    },
    async enter() {
      await page.keyboard.press("Enter");
      hand.count += 1;
    },
  };
  return hand;
}

async function hasFocus(what: Locator): Promise<boolean> {
  await what.waitFor();
  return await what.evaluate((element) => element === document.activeElement);
}

describe.skipIf(chromium === undefined)("a stranger", () => {
  let hub: Hub;
  let broken: FakeEndpoint;
  let office: FakeEndpoint;
  let program: Program;
  beforeAll(async () => {
    await buildDashboard();
    hub = await startHub();
    await hub.add(tinyRepo(REPO, "llmlb-tiny-Q8_0.gguf"));
    broken = fakeEndpoint(["large"], () =>
      Response.json({ error: { message: WHY } }, { status: 500 }),
    );
    office = fakeEndpoint(["gemma3"], () => Response.json({}));
    program = await Program.start({
      args: ["--access", "required", "--endpoint", `rack-1=${broken.url}`],
      env: { LLMLB_ADMIN_PASSWORD: PASSWORD, HF_ENDPOINT: hub.url },
    });
    const messages = [{ role: "user", content: "Hi" }];
    await eventually(async () => {
      const people = new People(program);
      const body = { model: "large", messages };
      return (await people.local("POST /v1/chat/completions", body)).status === 500 || undefined;
    });
  });
  // The next one finds all as the first one did.
  afterEach(() => undo(new People(program), office.url));
  afterAll(async () => {
    await program?.stop();
    for (const server of [broken, office]) server?.[Symbol.dispose]();
    await hub?.[Symbol.asyncDispose]();
  });

  test.each([
    ["the mouse", mouse],
    ["the keyboard", keyboard],
  ] as const)("does five things by what he sees, with %s", async (name, handOf) => {
    await using opened = await openPage(chromium ?? "", program.url);
    const { page, context, faults } = opened;
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.goto("/");
    await logIn(page, "admin", PASSWORD);
    const hand = handOf(page);
    const tasks = {
      "add an endpoint": addEndpoint,
      "register a model": registerModel,
      "chat with it": chat,
      "make a key": makeKey,
      "find why a request failed": findWhy,
    };
    const given = { name, endpoint: office.url, hub: hub.url };
    const counts: Record<string, number> = {};
    for (const [task, run] of Object.entries(tasks)) {
      const startMs = performance.now();
      hand.count = 0;
      await run(hand, given);
      counts[task] = hand.count;
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      console.log(`${task}, with ${name}: ${hand.count} times, ${seconds} s`);
    }
    const most = handOf === mouse ? 4 : KEYS_MAX;
    expect(Object.values(counts).filter((count) => count > most)).toEqual([]);
    expect(faults).toEqual([]);
  });

  test("makes nothing twice, and gets no window that is not for him", async () => {
    await using opened = await openPage(chromium ?? "", program.url);
    const { page, faults } = opened;
    const people = new People(program);
    await people.settled("vera");
    await page.goto("/");
    await logIn(page, "admin", PASSWORD);
    await page.getByRole("link", { name: "Invitations" }).click();
    await page.getByRole("button", { name: "Invite somebody" }).click();
    const send = page.getByRole("dialog").getByRole("button", { name: "Invite somebody" });
    await send.evaluate((button: HTMLButtonElement) => {
      button.click();
      button.click();
    });
    await page.getByRole("button", { name: "I have kept it" }).click();
    const list = await people.local("GET /api/invitations");
    const { invitations } = (await list.json()) as { invitations: object[] };
    expect(invitations).toHaveLength(1);
    await page.getByRole("button", { name: "Log out" }).click();
    await logIn(page, "vera", PASSWORD);
    await page.getByRole("link", { name: "Endpoints" }).waitFor();
    for (const open of ["add", "join"]) {
      await page.goto(`/dashboard/endpoints?open=${open}`);
      await page.getByRole("row").filter({ hasText: "local" }).waitFor();
      expect(await page.getByRole("dialog").count()).toBe(0);
    }
    expect(faults).toEqual([]);
  });
});

/** What the stranger was told. */
interface Given {
  name: string;
  endpoint: string;
  hub: string;
}

const screen = ({ page }: Hand, name: string) =>
  page.getByRole("navigation").getByRole("link", { name, exact: true });

async function addEndpoint(hand: Hand, { endpoint }: Given): Promise<void> {
  const { page } = hand;
  await hand.press(screen(hand, "Endpoints"));
  await hand.press(page.getByRole("button", { name: "Add endpoint" }));
  const window = page.getByRole("dialog", { name: "Add endpoint" });
  await hand.write(window.getByRole("textbox", { name: "Name" }), "office");
  // As people write it, and first wrongly.
  const address = window.getByRole("textbox", { name: "Address" });
  await hand.write(address, "my server");
  await hand.enter();
  await window.getByText("must be a URL such as").waitFor();
  await eventually(async () => (await hasFocus(address)) || undefined);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(endpoint.replace("http://", ""));
  await hand.enter();
  await page.getByText("office was added").waitFor();
  await page.getByRole("row").filter({ hasText: "office" }).getByText("Online").waitFor();
  await eventually(async () => {
    return (await hasFocus(page.getByRole("button", { name: "Add endpoint" }))) || undefined;
  });
}

async function registerModel(hand: Hand, { hub }: Given): Promise<void> {
  const { page } = hand;
  await hand.press(screen(hand, "Models"));
  await hand.press(page.getByRole("button", { name: "Register a model" }));
  const window = page.getByRole("dialog");
  await hand.write(window.getByLabel("Hugging Face address or name"), `${hub}/${REPO}`);
  await window.getByText("Fits its memory").waitFor();
  await hand.enter();
  await page.getByText(`hf/${REPO} was registered`).waitFor();
  await page.getByRole("link", { name: "Chat with it" }).waitFor();
}

async function chat(hand: Hand): Promise<void> {
  const { page } = hand;
  await hand.press(page.getByRole("link", { name: "Chat with it" }));
  await hand.write(page.getByRole("textbox", { name: "Message" }), "Hello there");
  await hand.enter();
  await page.getByText(/by local · first token/).waitFor();
  await page.getByRole("combobox", { name: "Model" }).getByText("Warm").waitFor();
}

async function makeKey(hand: Hand, { name }: Given): Promise<void> {
  const { page } = hand;
  await hand.press(screen(hand, "API keys"));
  await hand.press(page.getByRole("button", { name: "Make a key" }));
  await hand.write(page.getByRole("dialog").getByRole("textbox", { name: "Name" }), name);
  await hand.enter();
  const window = page.getByRole("dialog", { name: "Your new key" });
  const key = (await window.locator("pre").textContent()) ?? "";
  // It is shown this once: no slip may close it.
  await page.keyboard.press("Escape");
  await page.mouse.click(3, 3);
  expect(await window.isVisible()).toBe(true);
  await hand.press(window.getByRole("button", { name: "Copy" }));
  await page.getByText("Copied").waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
  await hand.press(window.getByRole("button", { name: "I have kept it" }));
  await page.getByRole("row").filter({ hasText: name }).getByText("in 90 days").waitFor();
}

async function findWhy(hand: Hand): Promise<void> {
  const { page } = hand;
  await hand.press(screen(hand, "Overview"));
  await hand.press(page.getByRole("link", { name: "Look at them" }));
  const row = page.getByRole("row").filter({ hasText: "large" }).last();
  await hand.press(row.getByRole("link"));
  await page.getByText("rack-1 answered with an error.").waitFor();
  await page.getByText(`The answer was: ${WHY}`).waitFor();
}

async function undo(people: People, url: string): Promise<void> {
  await people.local(`DELETE /api/models/hf/${REPO}`);
  const list = await people.local("GET /api/endpoints");
  const { endpoints } = (await list.json()) as { endpoints: { id: string; base_url: string }[] };
  const made = endpoints.find((one) => one.base_url.startsWith(url));
  if (made !== undefined) await people.local(`DELETE /api/endpoints/${made.id}`);
}
