import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { openai, post, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { type ThirdPartyServer, thirdPartyServer } from "../src/testkit/servers/thirdparty.ts";

setDefaultTimeout(20_000);

let program: Program;
let other: ThirdPartyServer;
beforeAll(async () => {
  other = thirdPartyServer("openai_compatible", [
    "whisper-1",
    "nomic-embed-text",
    "dall-e-3",
    "mystery",
  ]);
  program = await Program.start({ args: ["--endpoint", `other=${other.url}`] });
  // What a model can do is known once its endpoint has been asked.
  await eventually(async () => (await fetch(`${program.url}/v1/models/${TINY}`)).ok || undefined);
});
afterAll(async () => {
  await program?.stop();
  other?.[Symbol.dispose]();
});

interface Refusal {
  error: { message: string; type: string; code: string; param: string };
}

const messages = [{ role: "user", content: "Goodbye" }];

describe("a request that its model cannot serve", () => {
  test.each([
    ["whisper-1", "/v1/chat/completions", { messages }, "text generation"],
    ["whisper-1", "/v1/completions", { prompt: "a" }, "text generation"],
    ["whisper-1", "/v1/embeddings", { input: "a" }, "embeddings"],
    ["nomic-embed-text", "/v1/chat/completions", { messages }, "text generation"],
    ["nomic-embed-text", "/v1/responses", { input: "a" }, "text generation"],
    ["dall-e-3", "/v1/chat/completions", { messages }, "text generation"],
    [TINY, "/v1/rerank", { query: "a", documents: ["b"] }, "reranking"],
  ])("is refused: %s at %s", async (model, path, body, ability) => {
    const answer = await post(program.url + path, { model, ...body });
    const { error } = (await answer.json()) as Refusal;
    expect([answer.status, error.type]).toEqual([400, "invalid_request_error"]);
    expect([error.code, error.param]).toEqual(["model_capability_mismatch", "model"]);
    expect(error.message).toStartWith(`Model '${model}' does not support ${ability}`);
  });

  test("is refused in Anthropic's shape where that is spoken", async () => {
    const body = { model: "whisper-1", max_tokens: 5, messages };
    const answer = await post(`${program.url}/v1/messages`, body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      type: "error",
      error: {
        type: "invalid_request_error",
        message: expect.stringContaining("Model 'whisper-1' does not support text generation"),
      },
    });
  });

  test("is tried where nothing is known of the model", async () => {
    const answer = await post(`${program.url}/v1/chat/completions`, { model: "mystery", messages });
    expect(await answer.json()).toMatchObject({
      choices: [{ message: { content: "openai_compatible" } }],
    });
  });
});

/** A server for speech and images that tells what it got, and lists these models. */
function studio(models: string[]) {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/models") {
        return Response.json({ object: "list", data: models.map((id) => ({ id })) });
      }
      const type = request.headers.get("content-type") ?? "";
      if (request.method !== "POST") return new Response("no", { status: 404 });
      if (!type.startsWith("multipart/")) {
        const body = (await request.json()) as object;
        // It has the routes, and says so when it is asked with nothing.
        if (Object.keys(body).length === 0) return new Response("no", { status: 400 });
        return Response.json({ pathname, body });
      }
      const bytes = await request.bytes();
      const types = Buffer.from(bytes)
        .toString("latin1")
        .match(/(?<=content-type: )\S+/gi);
      const form = await new Response(bytes, { headers: { "content-type": type } }).formData();
      const got = [...form].map(([name, value]) => [
        name,
        typeof value === "string" ? value : `${value.name} ${value.size} ${types?.join()}`,
      ]);
      return Response.json({ pathname, text: JSON.stringify(got) });
    },
  });
}

describe("speech and images", () => {
  let server: ReturnType<typeof studio>;
  let balancer: Program;
  beforeAll(async () => {
    server = studio(["whisper-1", "painter"]);
    const args = ["--endpoint", `studio=${server.url.origin}`];
    balancer = await Program.start({ mode: "balancer", args });
  });
  afterAll(async () => {
    await balancer?.stop();
    server?.stop(true);
  });

  const wav = Buffer.concat([Buffer.from("RIFF\0\0\0\0WAVEfmt "), Buffer.alloc(2_000_000)]);
  const audio = () => new File([new Uint8Array(wav)], "a.wav", { type: "audio/wav" });
  const png = new Uint8Array(
    readFileSync(new URL("../fixtures/images/shape.png", import.meta.url)),
  );
  const picture = () => new File([png], "a.png", { type: "image/png" });

  test("recordings are transcribed, through OpenAI's client, with their own type", async () => {
    const request = { file: audio(), model: "whisper-1", language: "en" };
    const { text } = await openai(balancer).audio.transcriptions.create(request);
    expect(JSON.parse(text).toSorted()).toEqual([
      ["file", `a.wav ${wav.length} audio/wav`],
      ["language", "en"],
      ["model", "whisper-1"],
    ]);
  });

  test("images are edited, through OpenAI's client", async () => {
    const request = { model: "painter", image: picture(), prompt: "a cat", n: 2 };
    const answer = await openai(balancer).images.edit(request);
    const { text } = answer as unknown as { text: string };
    expect(JSON.parse(text).toSorted()).toEqual([
      ["image", `a.png ${png.length} image/png`],
      ["model", "painter"],
      ["n", "2"],
      ["prompt", "a cat"],
    ]);
  });

  test("unknown fields of JSON requests pass, and nothing is added", async () => {
    for (const [path, body] of [
      ["/v1/images/generations", { model: "painter", prompt: "a cat", steps: 4 }],
      ["/v1/audio/speech", { model: "painter", input: "hello", voice: "own", x: [1] }],
    ] as const) {
      const answer = await post(balancer.url + path, body);
      expect(await answer.json()).toEqual({ pathname: path, body });
    }
  });

  const form = (entries: Record<string, string | File>) => {
    const data = new FormData();
    for (const [name, value] of Object.entries(entries)) data.append(name, value);
    return data;
  };
  const large = new File([new Uint8Array(4 * 1024 * 1024 + 1)], "a.png");

  test.each([
    ["/v1/audio/transcriptions", "Missing required field: file", { model: "whisper-1" }],
    ["/v1/audio/transcriptions", "Missing required field: model", { file: audio() }],
    ["/v1/images/edits", "Missing required field: prompt", { image: picture() }],
    ["/v1/images/variations", "Missing required field: image", { n: "1" }],
    ["/v1/images/edits", "Image file exceeds maximum size of 4MB", { image: large, prompt: "a" }],
    [
      "/v1/images/edits",
      "`n` must be a whole number from 1 to 10",
      { image: picture(), prompt: "a", n: "11", model: "painter" },
    ],
    [
      "/v1/images/edits",
      "Model 'whisper-1' does not support image generation",
      { image: picture(), prompt: "a", model: "whisper-1" },
    ],
  ] as [string, string, Record<string, string | File>][])(
    "a form to %s is refused: %s",
    async (path, message, entries) => {
      const answer = await fetch(balancer.url + path, { method: "POST", body: form(entries) });
      const { error } = (await answer.json()) as Refusal;
      expect([answer.status, error.type]).toEqual([400, "invalid_request_error"]);
      expect(error.message).toContain(message);
    },
  );

  test.each([
    ["/v1/audio/speech", "`input` must not be empty", { model: "painter", input: "" }],
    ["/v1/audio/speech", "4096 characters", { model: "painter", input: "x".repeat(4097) }],
    ["/v1/audio/speech", "0.25 to 4.0", { model: "painter", input: "a", speed: 5 }],
    ["/v1/images/generations", "`prompt` must not be empty", { model: "painter", prompt: "" }],
    ["/v1/images/generations", "from 1 to 10", { model: "painter", prompt: "a", n: 0 }],
  ])("JSON to %s is refused: %s", async (path, message, body) => {
    const answer = await post(balancer.url + path, body);
    const { error } = (await answer.json()) as Refusal;
    expect([answer.status, error.type]).toEqual([400, "invalid_request_error"]);
    expect(error.message).toContain(message);
  });
});

test("GET /v1/models tells what each model can do", async () => {
  const list = (await (await fetch(`${program.url}/v1/models`)).json()) as {
    data: { id: string; capabilities: Record<string, boolean> }[];
  };
  const can = list.data.map(({ id, capabilities }) => {
    const words = Object.entries(capabilities).filter(([, value]) => value);
    return [id, words.map(([word]) => word).filter((word) => word !== "inference")];
  });
  expect(Object.fromEntries(can)).toMatchObject({
    [TINY]: ["chat_completion", "completion", "embeddings", "image_understanding"],
    "whisper-1": ["speech_to_text"],
    "nomic-embed-text": ["embeddings"],
    "dall-e-3": ["image_generation"],
    mystery: ["chat_completion", "completion"],
  });
});
