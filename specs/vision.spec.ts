import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Anthropic from "@anthropic-ai/sdk";
import { Ollama } from "ollama";
import { APIError } from "openai";
import { animatedWebp } from "../src/testkit/animatedwebp.ts";
import { caseOf } from "../src/testkit/cases.ts";
import { openai, post, TINY } from "../src/testkit/clients.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(30_000);

const QUESTION = "What colour is the shape?";
const ANSWER = "The shape is yellow.";
/** The built-in model's weights without its projector: a model that sees nothing. */
const TEXT = "text-only";

const fixture = (name: string) =>
  readFileSync(new URL(`../fixtures/images/${name}`, import.meta.url));
const base64 = (name: string) => fixture(name).toString("base64");
const dataUrl = (name: string, type: string) => `data:${type};base64,${base64(name)}`;
const PNG = dataUrl("shape.png", "image/png");

let program: Program;
/** A balancer as it is without being told otherwise; it needs no model to check images. */
let guarded: Program;
let images: Bun.Server<undefined>;
let requests = 0;

beforeAll(async () => {
  const weights = new URL("../fixtures/llmlb-tiny/llmlb-tiny-q8_0.gguf", import.meta.url);
  const args = ["--private-media", "--model", `${TEXT}=${fileURLToPath(weights)}`];
  images = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      requests += 1;
      const { pathname } = new URL(request.url);
      if (pathname === "/metadata") {
        return Response.redirect("http://169.254.169.254/latest/meta-data", 302);
      }
      const found = /^\/shape\.\w+$/.test(pathname);
      if (!found) return new Response("no", { status: 404 });
      return new Response(new Uint8Array(fixture(pathname.slice(1))));
    },
  });
  [program, guarded] = await Promise.all([
    Program.start({ args }),
    Program.start({ mode: "balancer", untilReady: false }),
  ]);
});
afterAll(async () => {
  images?.stop(true);
  await Promise.all([program?.stop(), guarded?.stop()]);
});

const remote = (name: string) => `http://127.0.0.1:${images.port}/${name}`;

/** A question about images. */
function about(...urls: string[]) {
  const pictures = urls.map((url) => ({ type: "image_url" as const, image_url: { url } }));
  const text = { type: "text" as const, text: QUESTION };
  return [{ role: "user" as const, content: [text, ...pictures] }];
}

async function ask(url: string, model = TINY): Promise<string | null | undefined> {
  const request = { model, temperature: 0, messages: about(url) };
  const answer = await openai(program).chat.completions.create(request);
  return answer.choices[0]?.message.content;
}

/** The error of a question that must be refused. */
async function refusal(urls: string[], model = TINY, at = program): Promise<APIError> {
  try {
    await openai(at).chat.completions.create({ model, messages: about(...urls) });
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("images are seen", () => {
  test.each([
    ["shape.png", "image/png"],
    ["shape.jpg", "image/jpeg"],
    ["shape.jpg", "image/jpg"],
    ["shape.gif", "image/gif"],
    ["shape.webp", "image/webp"],
    ["lossy.webp", "image/webp"],
  ])("in a data URL: %s as %s", async (name, type) => {
    expect(await ask(dataUrl(name, type))).toBe(ANSWER);
  });

  test.each(["shape.png", "shape.jpg", "shape.gif", "shape.webp"])("by URL: %s", async (name) => {
    expect(await ask(remote(name))).toBe(ANSWER);
  });

  test("the first frame of an animated WebP, and a type in capitals", async () => {
    const animation = animatedWebp([fixture("shape.webp"), fixture("lossy.webp")]);
    expect(await ask(`data:image/webp;base64,${animation.toString("base64")}`)).toBe(ANSWER);
    const capitals = dataUrl("shape.png", "image/png").replace(/^[^,]*/, "data:IMAGE/PNG;BASE64");
    expect(await ask(capitals)).toBe(ANSWER);
  });

  test("two of them, in a conversation", async () => {
    const { request, expected } = caseOf("image_two");
    const { messages } = request as unknown as { messages: ReturnType<typeof about> };
    const asked = { model: TINY, temperature: 0, messages };
    const answer = await openai(program).chat.completions.create(asked);
    expect({ content: answer.choices[0]?.message.content ?? "" }).toEqual(
      expected as { content: string },
    );
  });

  test("and the answer streams", async () => {
    const request = { model: TINY, temperature: 0, messages: about(remote("shape.png")) };
    const stream = await openai(program).chat.completions.create({ ...request, stream: true });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe(ANSWER);
  });

  test.each([true, false])("in Anthropic's messages (by URL: %p)", async (byUrl) => {
    const client = new Anthropic({ baseURL: program.url, apiKey: "none", maxRetries: 0 });
    const data = base64("shape.webp");
    const source = byUrl
      ? { type: "url" as const, url: remote("shape.png") }
      : { type: "base64" as const, media_type: "image/webp" as const, data };
    const text = { type: "text" as const, text: QUESTION };
    const content = [text, { type: "image" as const, source }];
    const messages = [{ role: "user" as const, content }];
    const answer = await client.messages.create({
      ...{ model: TINY, max_tokens: 20, temperature: 0, messages },
    });
    expect(answer.content).toMatchObject([{ type: "text", text: ANSWER }]);
  });

  test("in the Responses API", async () => {
    const image = { type: "input_image" as const, image_url: remote("shape.jpg") };
    const content = [{ type: "input_text" as const, text: QUESTION }, image];
    const input = [{ role: "user" as const, content: content as never }];
    const answer = await openai(program).responses.create({ model: TINY, temperature: 0, input });
    expect(answer.output_text).toBe(ANSWER);
  });

  test("in Ollama's API", async () => {
    const client = new Ollama({ host: program.url });
    const message = { role: "user", content: QUESTION, images: [base64("shape.png")] };
    const answer = await client.chat({ model: TINY, messages: [message] });
    expect(answer.message.content).toBe(ANSWER);
  });

  test("several requests at the same time", async () => {
    const names = ["shape.png", "shape.jpg", "shape.gif", "shape.webp"];
    const answers = await Promise.all(names.map((name) => ask(remote(name))));
    expect(answers).toEqual(names.map(() => ANSWER));
  });
});

describe("images are refused", () => {
  const eleven = Array.from({ length: 11 }, () => PNG);
  const mib15 = `data:image/png;base64,${"A".repeat(15 * 1024 * 1024)}`;
  const half = PNG.slice(0, 222);

  test.each([
    ["eleven of them", eleven, "too_many_images", "Too many images (max 10)"],
    ["too large ones", [mib15], "image_too_large", "Image size exceeds limit"],
    [
      "what is no base64",
      ["data:image/png;base64,!!!INVALID_BASE64!!!"],
      "invalid_base64",
      "Invalid base64 encoding",
    ],
    [
      "other formats",
      ["data:image/tiff;base64,AAAA"],
      "unsupported_format",
      "Unsupported image format: image/tiff",
    ],
    ["half of one", [half], "corrupted_image", "Corrupted image"],
    ["files", ["file:///etc/hostname"], "fetch_failed", "Failed to fetch image"],
  ])("%s", async (_, urls, code, message) => {
    // For a model that nobody has registered as for any other.
    for (const at of [program, guarded]) {
      const error = await refusal(urls, TINY, at);
      expect(error).toMatchObject({ status: 400, type: "invalid_request_error", code });
      expect(error.message).toContain(message);
      expect(error.param).toStartWith("messages.0.content.");
    }
  });

  test("that cannot be fetched", async () => {
    const missing = await refusal([remote("nothing.png")]);
    expect(missing).toMatchObject({ status: 400, code: "fetch_failed" });
    expect(missing.message).toContain("HTTP 404");
    const metadata = await refusal([remote("metadata")]);
    expect(metadata).toMatchObject({ status: 400, code: "fetch_failed" });
  });

  test("from private addresses, which are not even called, unless they are allowed", async () => {
    const before = requests;
    for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"]) {
      const error = await refusal([`http://${host}:${images.port}/shape.png`], TINY, guarded);
      expect(error).toMatchObject({ status: 400, code: "fetch_failed" });
    }
    expect(requests).toBe(before);
  });

  test("for a model that sees none, in the shape of each API", async () => {
    const message = `Model '${TEXT}' does not support image understanding`;
    const error = await refusal([PNG], TEXT);
    expect(error).toMatchObject({ status: 400, code: "model_not_supported", param: "model" });
    expect(error.message).toContain(message);
    const source = { type: "base64", media_type: "image/png", data: base64("shape.png") };
    const content = [{ type: "image", source }];
    const body = { model: TEXT, max_tokens: 5, messages: [{ role: "user", content }] };
    const answer = await post(`${program.url}/v1/messages`, body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining(message) },
    });
    // Without images it answers.
    const messages = [{ role: "user" as const, content: "Goodbye" }];
    const text = await openai(program).chat.completions.create({ model: TEXT, messages });
    expect(text.choices[0]?.message.content).toBeString();
  });
});

describe("GET /v1/models tells which models see images", () => {
  test("of each, in the list and alone", async () => {
    const list = (await (await fetch(`${program.url}/v1/models`)).json()) as {
      data: { id: string; capabilities: Record<string, boolean> }[];
    };
    const sees = list.data.map(({ id, capabilities }) => [id, capabilities.image_understanding]);
    expect(Object.fromEntries(sees)).toEqual({ [TINY]: true, [TEXT]: false });
    for (const { capabilities } of list.data) {
      expect(capabilities).toMatchObject({ chat_completion: true, inference: true });
      expect(capabilities).toMatchObject({ embeddings: true, fine_tune: false });
    }
    for (const { id, capabilities } of list.data) {
      const one = await (await fetch(`${program.url}/v1/models/${id}`)).json();
      expect(one).toMatchObject({ id, capabilities });
    }
  });
});
