import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { buildDashboard } from "../scripts/dashboard.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { post, says } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { barriers, keepPicture, openPage, overflow } from "../src/testkit/openpage.ts";
import { Program } from "../src/testkit/program.ts";
import { type Cut, type Talker, talker } from "../src/testkit/servers/talker.ts";

setDefaultTimeout(90_000);

const chromium = findChromium();
const TOKENS = ["Once", " upon", " a", " time", "."];
const CHAT = { model: "m", messages: says("Tell me"), stream: true };

interface Shown {
  id: string;
  name: string;
  kind: string;
}

describe.skipIf(chromium === undefined)("a stream that goes on elsewhere", () => {
  const cuts: Cut[] = [];
  let talkers: Talker[] = [];
  let program: Program;
  let endpoints: Shown[] = [];
  beforeAll(async () => {
    await buildDashboard();
    talkers = [1, 2].map(() => talker({ kind: "vllm", tokens: TOKENS, cuts }));
    const given = talkers.flatMap(({ url }, index) => ["--endpoint", `gpu-${index}=${url}`]);
    program = await Program.start({ mode: "balancer", args: given });
    endpoints = await eventually(async () => {
      const all = await (await fetch(`${program.url}/api/endpoints`)).json();
      const are = all.endpoints.every(({ kind }: Shown) => kind === "vllm");
      return are ? (all.endpoints as Shown[]) : undefined;
    });
  });
  afterAll(async () => {
    await program?.stop();
    for (const one of talkers) one[Symbol.dispose]();
  });

  test("is counted where it was drained, and its request tells what each gave", async () => {
    cuts.push({ atByte: 700, how: "silence" });
    const answer = await post(`${program.url}/v1/chat/completions`, CHAT);
    await eventually(() => (cuts.length === 0 ? true : undefined));
    const name = talkers.findIndex(({ requests }) => requests.length > 0);
    const drained = endpoints.find((one) => one.name === `gpu-${name}`);
    await using opened = await openPage(chromium ?? "", program.url);
    const { page, faults } = opened;
    await page.goto(`/dashboard/endpoints/${drained?.id}`);
    await page.getByRole("button", { name: "Drain" }).click();
    await page.getByText("streams go on at another endpoint").waitFor();
    await page.getByRole("alertdialog").getByRole("button", { name: "Drain" }).click();
    expect(await answer.text()).toContain("[DONE]");
    await page.getByText("Streams that went on elsewhere: 1.").waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepPicture(page, "endpoint-moved");

    await page.goto("/dashboard/requests");
    await page.getByRole("row").filter({ hasText: "m" }).getByRole("link").first().click();
    await page.getByText(`Attempt at gpu-${name}`).waitFor();
    await page.getByText(/gave \d tokens · moved away: it was drained/).waitFor();
    await page.getByText(/gave \d tokens$/).waitFor();
    expect(await overflow(page)).toBe(0);
    await keepPicture(page, "request-continued");

    await page.goto("/dashboard");
    await page.getByText("streams that went on elsewhere: 1").waitFor();
    await keepPicture(page, "overview-continued");
    expect(faults).toEqual([]);
  });

  test("is told in Japanese, on a phone", async () => {
    const look = { language: "ja", width: "phone", theme: "dark" } as const;
    await using opened = await openPage(chromium ?? "", program.url, look);
    const { page } = opened;
    const { requests } = await (await fetch(`${program.url}/api/requests`)).json();
    await page.goto(`/dashboard/requests/${requests[0].request_id}`);
    await page.getByText(/\d トークンを出力$/).waitFor();
    expect(await overflow(page)).toBe(0);
    await keepPicture(page, "request-continued-ja");
    await page.goto("/dashboard");
    await page.getByText("別の接続先で続いたストリーム 1").waitFor();
    expect(await overflow(page)).toBe(0);
    await keepPicture(page, "overview-continued-ja");
  });
});
