import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { TINY } from "../src/testkit/clients.ts";
import { pngFile } from "../src/testkit/images.ts";
import { barriers, keepPicture } from "../src/testkit/openpage.ts";
import { composer, SCRIPTED as MODEL, Playground, say } from "../src/testkit/playground.ts";
import { openaiError, scriptedStream } from "../src/testkit/servers/scripted.ts";
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

  test("an answer comes in pieces, with its timings and its request", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    playground.answer(
      { reasoning_content: "They greet." },
      { content: "Hello **you**" },
      { content: "!" },
    );
    await say(page, "Hi");
    await page.getByText("Hello you!").waitFor();
    await page.getByText(/by gpu-1 · first token .* · 9 in · 2 cached · 3 tokens/).waitFor();
    expect(await page.getByText("They greet.").isVisible()).toBe(false);
    await page.getByText("Thinking", { exact: true }).click();
    await page.getByText("They greet.").waitFor();
    await page.getByRole("link", { name: "Request", exact: true }).click();
    await page.getByText("What took how long").waitFor();
    expect(faults).toEqual([]);
  });

  test("an answer is stopped by Escape, edited and asked again; the focus stays", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    const goOn = Promise.withResolvers<void>();
    const never = Promise.withResolvers<void>();
    playground.endpoint.next.push(() =>
      scriptedStream(MODEL, {
        deltas: [{ content: "Half" }, { content: " and more" }, { content: " and all" }],
        before: (i) => [undefined, goOn.promise, never.promise][i],
      }),
    );
    await say(page, "First");
    await page.getByText("Half").waitFor();
    // Escape that leaves letters which are put together, as browsers and as Safari tell it.
    await composer(page).dispatchEvent("keydown", { key: "Escape", isComposing: true });
    await composer(page).dispatchEvent("keydown", { key: "Escape", keyCode: 229 });
    goOn.resolve();
    await page.getByText("Half and more").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("Stopped.").waitFor();
    never.resolve();
    expect(await composer(page).evaluate((one) => one === document.activeElement)).toBe(true);
    playground.answer({ content: "Second answer" });
    await page.getByRole("button", { name: "Regenerate" }).click();
    await page.getByText("Second answer").waitFor();
    await say(page, "Two\nlines");
    await page.getByText("well", { exact: true }).waitFor();
    // What would be lost is asked about.
    await page.getByRole("button", { name: "Edit" }).first().click();
    await page.getByLabel("Edit the message").fill("Edited");
    await page
      .getByLabel("Edit the message")
      .dispatchEvent("keydown", { key: "Escape", isComposing: true });
    await page.locator(".turn-edit").getByRole("button", { name: "Send" }).click();
    await page.getByText("The message after it, and its answer, are lost.").waitFor();
    playground.answer({ content: "Third answer" });
    await page.getByRole("alertdialog").getByRole("button", { name: "Go on from here" }).click();
    await page.getByText("Third answer").waitFor();
    expect(playground.endpoint.asked.at(-1)?.messages).toEqual([
      { role: "user", content: "Edited" },
    ]);
    expect(await page.locator(".said").count()).toBe(1);
    expect(faults).toEqual([]);
  });

  test("parameters and the system prompt are sent, kept over a reload, and reset", async () => {
    await using opened = await playground.open();
    const { page } = opened;
    await page.getByLabel("System prompt").fill("Be brief.");
    await page.getByText("Parameters", { exact: true }).click();
    await page.getByLabel("Temperature").fill("0.5");
    await page.getByLabel("Top p").fill("0.9");
    await page.getByLabel("Most tokens").fill("64");
    await page.getByLabel("Seed").fill("7");
    await page.getByLabel("Stop at").fill("END\n###");
    await page.getByLabel("Reasoning effort").selectOption("low");
    await say(page, "Hi");
    await page.getByText("well", { exact: true }).waitFor();
    const { messages, ...parameters } = playground.endpoint.asked.at(-1) ?? {};
    expect(messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
    ]);
    expect(parameters).toMatchObject({
      ...{ temperature: 0.5, top_p: 0.9, max_tokens: 64, seed: 7, stop: ["END", "###"] },
      ...{ reasoning_effort: "low", stream: true },
    });
    await page.locator(".timings").waitFor();
    await page.reload();
    await page.getByText("well", { exact: true }).waitFor();
    expect(await page.getByLabel("Temperature").inputValue()).toBe("0.5");
    await page.getByRole("button", { name: "Reset" }).click();
    await say(page, "Again");
    await page.getByText("well", { exact: true }).nth(1).waitFor();
    expect(playground.endpoint.asked.at(-1)).not.toHaveProperty("temperature");
  });

  test("a tool is defined, called, and its result goes back to the model", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    await page.getByRole("button", { name: "Add a tool" }).click();
    const window = page.getByRole("dialog");
    await window.getByLabel("Parameters").fill('{"type": "object",}');
    await window.getByText(/^Line 1, column 19: /).waitFor();
    expect(await window.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
    await window.getByLabel("Parameters").fill('{"type": "object", "required": ["city"]}');
    await window.getByText("required names city, which is none of the properties").waitFor();
    await window
      .getByLabel("Parameters")
      .fill('{"type": "object", "properties": {"city": {"type": "string"}}}');
    await keepPicture(page, "playground-tool");
    expect(await barriers(page)).toEqual([]);
    await window.getByRole("button", { name: "Save" }).click();
    const call = { index: 0, id: "call_7", function: { name: "get_weather", arguments: "" } };
    playground.endpoint.next.push(() =>
      scriptedStream(MODEL, {
        finish: "tool_calls",
        deltas: [
          { tool_calls: [call] },
          { tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] },
          { tool_calls: [{ index: 0, function: { arguments: '"Kyoto"}' } }] },
        ],
      }),
    );
    await say(page, "Is it sunny in Kyoto?");
    await page.getByText('"city": "Kyoto"').waitFor();
    const result = page.getByLabel("Result of get_weather");
    expect(await result.inputValue()).toContain("temperature_c");
    await keepPicture(page, "playground-call");
    expect(await barriers(page)).toEqual([]);
    await result.fill("18 degrees");
    playground.answer({ content: "It is 18 degrees." });
    await page.getByRole("button", { name: "Send the result" }).click();
    await page.getByText("It is 18 degrees.").waitFor();
    const { messages, tools } = playground.endpoint.asked.at(-1) as Record<string, object[]>;
    expect(messages?.slice(1)).toEqual([
      {
        ...{ role: "assistant", content: null },
        tool_calls: [
          {
            ...{ id: "call_7", type: "function" },
            function: { name: "get_weather", arguments: '{"city":"Kyoto"}' },
          },
        ],
      },
      { role: "tool", tool_call_id: "call_7", content: "18 degrees" },
    ]);
    expect(tools).toHaveLength(1);
    expect(faults).toEqual([]);
  });

  test("an answer by a schema is shown as JSON", async () => {
    await using opened = await playground.open();
    const { page } = opened;
    await page.getByLabel("Answers as").selectOption("schema");
    await page.getByRole("dialog").getByLabel("JSON Schema").fill("[]");
    await page.getByText("must be an object").waitFor();
    await page
      .getByRole("dialog")
      .getByLabel("JSON Schema")
      .fill('{"type":"object","properties":{"n":{"type":"number"}}}');
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    playground.answer({ content: '{"n":' }, { content: "1}" });
    await say(page, "A number");
    await page.getByText('"n": 1').waitFor();
    expect(playground.endpoint.asked.at(-1)?.response_format).toEqual({
      type: "json_schema",
      json_schema: {
        ...{ name: "answer", strict: true },
        schema: { type: "object", properties: { n: { type: "number" } } },
      },
    });
    playground.answer({ content: "no JSON" });
    await page.getByRole("button", { name: "Regenerate" }).click();
    await page.getByText("The answer is no valid JSON.").waitFor();
  });

  test("an error is told in the API's words, and the request tried again", async () => {
    await using opened = await playground.open();
    const { page } = opened;
    playground.endpoint.next.push(openaiError(400));
    await say(page, "Hi");
    await page.getByRole("alert").getByText("It is a 400.").waitFor();
    await keepPicture(page, "playground-error");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("well", { exact: true }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("images are chosen, pasted and refused, sent, and kept", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    const file = { name: "dot.png", mimeType: "image/png", buffer: pngFile(40, 30) };
    await page
      .locator('.composer input[type="file"]')
      .setInputFiles([
        file,
        { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("text") },
      ]);
    await page.getByText("notes.txt was left out: images are PNG, JPEG, GIF or WebP.").waitFor();
    await page.evaluate(() => {
      const data = new DataTransfer();
      const bytes = Uint8Array.from([0x47, 0x49, 0x46]);
      data.items.add(new File([bytes], "pasted.gif", { type: "image/gif" }));
      const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
      document.querySelector(".composer textarea")?.dispatchEvent(paste);
    });
    await page.getByRole("button", { name: "Remove pasted.gif" }).click();
    playground.answer({ content: "A black picture." });
    await say(page, "What is this?");
    await page.getByText("A black picture.").waitFor();
    const url = `data:image/png;base64,${file.buffer.toString("base64")}`;
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url } },
    ];
    expect(playground.endpoint.asked.at(-1)?.messages).toEqual([{ role: "user", content }]);
    await page.reload();
    await page.getByRole("img", { name: "dot.png" }).waitFor();
    await keepPicture(page, "playground-image");
    // This model says nothing of images, and refuses them.
    await page.locator('.composer input[type="file"]').setInputFiles([file]);
    await page.getByText(`${MODEL}: not known to see images.`).waitFor();
    playground.endpoint.next.push(() => {
      const error = { message: "This model has no eyes.", type: "invalid_request_error" };
      return Response.json({ error }, { status: 400 });
    });
    await say(page, "And this?");
    await page.getByRole("alert").getByText("This model has no eyes.").waitFor();
    expect(faults).toEqual([]);
  });

  test("two models answer side by side, each at its endpoint", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    await page.getByRole("button", { name: "Compare with another model" }).click();
    await page.getByLabel("Where").first().selectOption("gpu-1");
    await page.getByLabel("Where").nth(1).selectOption("local");
    await page.getByText("Parameters", { exact: true }).click();
    await page.getByLabel("Most tokens").fill("8");
    playground.answer({ content: "From the large one" });
    await say(page, "Who are you?");
    const lanes = page.locator(".lane");
    await lanes.nth(0).getByText("From the large one").waitFor();
    await lanes.nth(0).getByText("by gpu-1").waitFor();
    await lanes.nth(1).getByText("by local").waitFor();
    await keepPicture(page, "playground-two");
    // Each goes on from its own answer.
    await say(page, "And now?");
    await lanes.nth(2).getByText("well", { exact: true }).waitFor();
    expect(playground.endpoint.asked.at(-1)?.messages).toContainEqual({
      ...{ role: "assistant", content: "From the large one" },
    });
    await lanes.nth(3).getByText("by local").waitFor();
    expect(faults).toEqual([]);
  });

  test("a model is searched, by keys, and stands in the address", async () => {
    await using opened = await playground.open();
    const { page } = opened;
    await page.getByRole("combobox", { name: "Model" }).click();
    await page.getByText("Ready", { exact: true }).or(page.getByText("Warm")).first().waitFor();
    await keepPicture(page, "playground-picker");
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.type("tiny");
    await page.getByRole("option", { name: TINY }).waitFor();
    expect(await page.getByRole("option", { name: MODEL }).count()).toBe(0);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/playground?*model=${TINY}`);
    await page.reload();
    await page.getByRole("combobox", { name: "Model" }).getByText(TINY).waitFor();
  });

  test("conversations are listed, searched, renamed, taken along and deleted", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    await say(page, "About apples");
    await page.getByText("well", { exact: true }).waitFor();
    const first = page.url();
    await page.getByRole("button", { name: "New conversation" }).click();
    playground.answer({ content: "They grow on trees." });
    await say(page, "About pears");
    await page.getByText("They grow on trees.").waitFor();
    expect(page.url()).not.toBe(first);
    const list = page.getByRole("complementary", { name: "Conversations" });
    await page.getByLabel("Search conversations").fill("grow on");
    await list.getByText("About pears").waitFor();
    await list.getByText("About apples").waitFor({ state: "detached" });
    await page.getByLabel("Search conversations").fill("");
    await list.getByText("About apples").hover();
    await list.getByRole("button", { name: "Rename About apples" }).click();
    await page.getByLabel("Title").fill(HOSTILE);
    await page.keyboard.press("Enter");
    await list.getByText(HOSTILE).waitFor();
    await list.getByRole("button", { name: /^<img/ }).click();
    await page.locator(".said").getByText("About apples").waitFor();
    const waiting = page.waitForEvent("download");
    await list.getByRole("button", { name: "Export" }).click();
    const path = await (await waiting).path();
    await list.getByText(HOSTILE).hover();
    await list.getByRole("button", { name: `Delete ${HOSTILE}` }).click();
    await page.getByText("it was kept in this browser only").waitFor();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await list.getByText(HOSTILE).waitFor({ state: "detached" });
    await page.locator('.bench-foot input[type="file"]').setInputFiles(path);
    await page.getByText("2 conversations were imported").waitFor();
    await page.reload();
    await list.getByText(HOSTILE).waitFor();
    expect(await list.locator(".bench-head").count()).toBe(3);
    await page.locator('.bench-foot input[type="file"]').setInputFiles({
      ...{ name: "other.json", mimeType: "application/json", buffer: Buffer.from("{}") },
    });
    await page.locator(".toast").getByText("The file could not be imported").waitFor();
    expect(faults).toEqual([]);
  });

  test("what is deleted while it is answered does not come back", async () => {
    await using opened = await playground.open();
    const { page, faults } = opened;
    const never = Promise.withResolvers<void>();
    playground.endpoint.next.push(() =>
      scriptedStream(MODEL, {
        deltas: [{ content: "Half" }, { content: " and more" }],
        before: (i) => (i === 1 ? never.promise : undefined),
      }),
    );
    await say(page, "About apples");
    await page.getByText("Half").waitFor();
    const list = page.getByRole("complementary", { name: "Conversations" });
    await list.getByText("About apples").hover();
    await list.getByRole("button", { name: "Delete About apples" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("Half").waitFor({ state: "detached" });
    never.resolve();
    await say(page, "About pears");
    await page.getByText("well", { exact: true }).waitFor();
    await page.reload();
    await list.getByText("About pears").waitFor();
    expect(await list.locator(".bench-head").count()).toBe(1);
    expect(faults).toEqual([]);
  });
});
