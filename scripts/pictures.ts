// Takes the pictures of the README: bun scripts/pictures.ts
// The real dashboard, over stand-ins for three hosts that are asked all the time.
import { join } from "node:path";
import { fakeBalancer } from "../src/testkit/balancer.ts";
import { findChromium } from "../src/testkit/chromium.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { type Look, type OpenPage, openPage } from "../src/testkit/openpage.ts";
import { say } from "../src/testkit/playground.ts";
import { chunksOf } from "../src/testkit/servers/translating.ts";
import { buildDashboard } from "./dashboard.ts";
import { HOSTS, serveHost } from "./pictures/hosts.ts";

const FOLDER = join(import.meta.dir, "../docs/images");
const CLIENTS = 34;
const QUALITY = 88;
const SIZE = { width: 1280, height: 720 };
/** Time for rates to settle. */
const TRAFFIC_MS = 20_000;

const QUESTIONS = {
  en: "Which endpoint gets my request?",
  ja: "リクエストはどのエンドポイントに送られますか？",
};
const ANSWERS = {
  en: `One that **has the model** and a free slot, in this order:

1. where the model is loaded already,
2. where the beginning of your prompt is cached,
3. the least busy of the fast ones.

If none is free, the request waits its turn.`,
  ja: `**そのモデルを持ち**、空きスロットがあるものです。優先順位は次のとおりです。

1. モデルがすでにロードされている
2. プロンプトの先頭がキャッシュされている
3. 速いもののうち、最も空いている

空きがなければ、順番を待ちます。`,
};

/** Answers as a model would: after a while, or as a stream if that is wanted. */
async function answer(request: Request): Promise<Response> {
  const body = (await request.json()) as { model: string; stream?: boolean; messages: unknown[] };
  const text = JSON.stringify(body.messages).includes(QUESTIONS.ja) ? ANSWERS.ja : ANSWERS.en;
  if (body.stream === true) {
    return streamOf(text);
  }
  await Bun.sleep(600 + Math.random() * 2600);
  return Response.json({
    ...{ id: "chat", object: "chat.completion", model: body.model },
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: text } }],
    usage: { prompt_tokens: 420, completion_tokens: 60, total_tokens: 480 },
  });
}

/** The text in words, as fast as a model writes. */
function streamOf(text: string): Response {
  const deltas = text.split(/(?<=\s)/).map((content) => ({ content }));
  const events = chunksOf(deltas).map((one) =>
    typeof one === "string" ? one : JSON.stringify(one),
  );
  const stream = new ReadableStream({
    async start(controller) {
      for (const event of events) {
        controller.enqueue(`data: ${event}\n\n`);
        await Bun.sleep(15);
      }
      controller.close();
    },
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}

async function take({ page, context }: OpenPage, name: string, look: Look): Promise<void> {
  const devtools = await context.newCDPSession(page);
  const options = { format: "webp", quality: QUALITY } as const;
  const { data } = await devtools.send("Page.captureScreenshot", options);
  const language = look.language === "en" ? "" : `-${look.language}`;
  const file = join(FOLDER, `${name}-${look.theme}${language}.webp`);
  await Bun.write(file, Buffer.from(data, "base64"));
  process.stdout.write(`${file}: ${Math.round(Bun.file(file).size / 1000)} kB\n`);
}

async function takeAll(url: string, look: Look): Promise<void> {
  const chromium = findChromium();
  if (chromium === undefined) throw new Error("There is no Chromium.");
  await using opened = await openPage(chromium, url, look);
  const { page } = opened;
  await page.setViewportSize(SIZE);
  await page.goto("/dashboard/fleet");
  await page.locator(".host").nth(2).waitFor();
  await page.waitForTimeout(2500);
  await take(opened, "fleet", look);
  await page.goto("/dashboard/playground");
  await say(page, QUESTIONS[look.language]);
  await page.waitForTimeout(3500);
  await take(opened, "playground", look);
}

async function main(): Promise<void> {
  await buildDashboard();
  const servers = HOSTS.map((host) => serveHost(host, answer));
  const named = HOSTS.map(({ name }, i) => [name, `http://127.0.0.1:${servers[i]?.port}`]);
  await using balancer = await fakeBalancer(Object.fromEntries(named));
  for (const { name } of HOSTS) await balancer.until(name, "online");
  const ready = HOSTS.flatMap((host) => host.models.filter(({ state }) => state === "ready"));
  const models = ready.filter(({ id }) => id !== "nomic-embed-text-v1.5"); // It does not chat.
  let isOn = true;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (isOn) {
      const model = models[Math.floor(Math.random() * models.length)]?.id ?? "";
      const messages = [{ role: "user", content: crypto.randomUUID() }];
      await (await balancer.post("/v1/chat/completions", { model, messages })).text();
    }
  });
  await eventually(async () => (await fetch(`${balancer.url}/ready`)).ok || undefined);
  await Bun.sleep(TRAFFIC_MS);
  try {
    for (const language of ["en", "ja"] as const) {
      for (const theme of ["light", "dark"] as const) {
        await takeAll(balancer.url, { language, theme, width: "wide" });
      }
    }
  } finally {
    isOn = false;
    await Promise.all(clients);
    for (const server of servers) await server.stop(true);
  }
}

await main();
