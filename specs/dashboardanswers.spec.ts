import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import {
  barriers,
  keepPicture,
  LOOKS,
  logIn,
  openPage,
  overflow,
} from "../src/testkit/openpage.ts";
import { PASSWORD, People } from "../src/testkit/people.ts";
import { composer, SCRIPTED as MODEL, Playground, say } from "../src/testkit/playground.ts";
import { Program } from "../src/testkit/program.ts";
import { scriptedStream } from "../src/testkit/servers/scripted.ts";
import { HOSTILE } from "../src/testkit/usagehome.ts";

setDefaultTimeout(90_000);

const chromium = findChromium();

describe.skipIf(chromium === undefined)("the playground", () => {
  let playground: Playground;
  beforeAll(async () => {
    await buildDashboard();
    playground = await Playground.start(chromium ?? "");
  });
  afterAll(() => playground?.stop());

  test("code sends exactly what was sent", async () => {
    await using opened = await playground.open();
    const { page } = opened;
    await page.getByLabel("Where").selectOption("gpu-1");
    await say(page, 'It\'s "quoted"');
    await page.getByText("well", { exact: true }).waitFor();
    const sent = playground.endpoint.asked.at(-1);
    await page.getByRole("button", { name: "Copy as code" }).click();
    const code = page.getByRole("dialog").locator("pre");
    await keepPicture(page, "playground-code");
    const command = (await code.textContent()) ?? "";
    const run = Bun.spawn(["bash", "-c", command], { env: { ...process.env, LLMLB_API_KEY: "k" } });
    expect(await new Response(run.stdout).text()).toContain("well");
    expect(playground.endpoint.asked.at(-1)).toEqual(sent as Record<string, unknown>);
    await page.getByRole("dialog").getByLabel("Language").selectOption("Python");
    expect(await code.textContent()).toContain(
      'extra_headers={\n        "x-llmlb-endpoint": "gpu-1",',
    );
    await page.getByRole("dialog").getByLabel("Language").selectOption("TypeScript");
    expect(await code.textContent()).toContain('{ headers: {"x-llmlb-endpoint":"gpu-1"} }');
  });

  test("what a hostile answer has in it stays text", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const row = `|${"cell|".repeat(60)}`;
    playground.answer({
      content: [
        `${HOSTILE} <script>alert(1)</script> <a href="javascript:alert(2)">raw</a>`,
        "[click](javascript:alert(3)) [data](data:text/html,x) [good](https://example.com/x)",
        "![picture](https://evil.example/track.png)",
        `${row}\n|${"---|".repeat(60)}\n${row}`,
        "\u202eright to left override\u202c and zero\u200bwidth\u200d, مرحبا بالعالم",
        `${"> ".repeat(4000)}deep`,
        `${"[".repeat(6000)}`,
        "**".repeat(4000),
        "```html\n<b>code</b>\n```",
      ].join("\n\n"),
    });
    await say(page, "Be hostile");
    await page.getByText("<b>code</b>").waitFor();
    const answer = page.locator(".markdown");
    expect(await answer.locator("img, script, b").count()).toBe(0);
    expect(await answer.locator("a").evaluateAll((all) => all.map((a) => a.outerHTML))).toEqual([
      expect.stringContaining('href="https://example.com/x"'),
      expect.stringContaining('href="https://evil.example/track.png"'),
    ]);
    for (const link of await answer.locator("a").all()) {
      expect(await link.getAttribute("rel")).toContain("noopener");
    }
    expect(asked.filter((url) => url.includes("evil"))).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await answer.locator(".code-block").getByRole("button", { name: "Copy" }).waitFor();
    await page.locator(".turns").evaluate((one) => one.scrollTo(0, 0));
    await keepPicture(page, "playground-hostile");
    expect(faults).toEqual([]);
  });

  test("a long answer is followed, unless the reader has scrolled up", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    const gate = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const lines = (from: number) =>
      Array.from({ length: 60 }, (_, i) => ({ content: `Line ${from + i}\n\n` }));
    playground.endpoint.next.push(() =>
      scriptedStream(MODEL, {
        deltas: [...lines(0), ...lines(60), ...lines(120)],
        before: (i) => (i === 60 ? gate.promise : i === 120 ? end.promise : undefined),
      }),
    );
    await say(page, "Many lines");
    await page.getByText("Line 59", { exact: true }).waitFor();
    const turns = page.locator(".turns");
    const fromEnd = () =>
      turns.evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight);
    expect(await fromEnd()).toBeLessThan(2);
    gate.resolve();
    await page.getByText("Line 119", { exact: true }).waitFor();
    expect(await fromEnd()).toBeLessThan(2);
    await turns.hover();
    await page.mouse.wheel(0, -1200);
    await page.getByRole("button", { name: "To the end" }).waitFor();
    const top = await turns.evaluate((one) => one.scrollTop);
    end.resolve();
    await page.getByRole("button", { name: "Send" }).waitFor();
    expect(await turns.evaluate((one) => one.scrollTop)).toBe(top);
    await page.getByRole("button", { name: "To the end" }).click();
    await page.getByText("Line 179", { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });

  test("of two thousand messages only those in sight are drawn", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    await playground.importLong(page, 1000);
    await page.locator(".bench-head").getByText("A long one").click();
    await page.getByText("Answer 999", { exact: true }).waitFor();
    expect(await page.locator(".turn-row").count()).toBeLessThan(60);
    await page.locator(".turns").evaluate((one) => one.scrollTo(0, 0));
    await page.getByText("Question 0", { exact: true }).waitFor();
    expect(await page.locator(".turn-row").count()).toBeLessThan(60);
    await say(page, "One more");
    await page.getByText("One more").waitFor();
    await page.getByText("well", { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });

  test("a hundred thousand characters are an answer like any other", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    const piece = "A paragraph of **text**.\n\n- one\n- two\n\n";
    const deltas = Array.from({ length: 2600 }, () => ({ content: piece }));
    playground.answer(...deltas, { content: "The very end." });
    await say(page, "All of it");
    await page.getByText("The very end.").waitFor();
    expect(await page.locator(".turn-row").count()).toBeLessThan(60);
    await page.reload();
    await page.getByText("The very end.").waitFor();
    expect(faults).toEqual([]);
  });

  test.each(LOOKS)("all of it fits its window: %p", async (look) => {
    await using opened = await playground.open(undefined, look);
    const { page, faults } = opened;
    const picture = (name: string) =>
      keepPicture(page, `playground-${name}-${look.theme}-${look.language}-${look.width}`);
    playground.answer({ reasoning_content: "Hm." }, { content: TOUR });
    await composer(page).fill(
      look.language === "ja" ? "自己紹介をしてください" : "Tell me something",
    );
    await page.keyboard.press("Enter");
    await page.locator(".timings").waitFor();
    await picture("talk");
    expect(["talk", await overflow(page), await barriers(page)]).toEqual(["talk", 0, []]);
    for (const panel of [/^(Conversations|会話一覧)$/, /^(Settings|設定)$/]) {
      const button = page.getByRole("button", { name: panel });
      if ((await button.getAttribute("aria-pressed")) === "false") await button.click();
      await picture(String(panel).includes("Settings") ? "settings" : "list");
      expect([panel, await overflow(page), await barriers(page)]).toEqual([panel, 0, []]);
    }
    expect(faults).toEqual([]);
  });
});

describe.skipIf(chromium === undefined)("with access control", () => {
  let program: Program;
  beforeAll(async () => {
    await buildDashboard();
    program = await Program.start({ args: ["--access", "required"] });
  });
  afterAll(() => program?.stop());

  test("of two people at one browser, each has his own conversations", async () => {
    const people = new People(program);
    for (const name of ["ada", "eve"]) await people.settled(name);
    await using opened = await openPage(chromium ?? "", program.url);
    const { page, context, faults } = opened;
    const list = page.getByRole("complementary", { name: "Conversations" });
    const enter = async (name: string) => {
      await context.clearCookies();
      await page.goto("/dashboard/playground");
      await logIn(page, name, PASSWORD);
      await composer(page).waitFor();
    };
    await enter("ada");
    await say(page, "A secret of Ada");
    await list.getByText("A secret of Ada").waitFor();
    await page.locator(".timings").waitFor();
    await enter("eve");
    await list.getByText("None yet").waitFor();
    expect(await page.content()).not.toContain("A secret");
    await enter("ada");
    await page.locator(".said").getByText("A secret of Ada").waitFor();
    expect(faults).toEqual([]);
  });
});

const TOUR = [
  "## What it can show",
  "Some *text* with `code`, a [link](https://example.com) and a list:",
  "1. one\n2. two\n   - [x] done\n   - [ ] open",
  "| Model | tokens/s |\n|---|---:|\n| small | 120 |\n| large | 18 |",
  "> A quotation.",
  "```ts\nconst stream = await client.chat.completions.create({ model, messages, stream });\n```",
].join("\n\n");
