import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  EngineHome,
  launchTest,
  sendToEngine,
  TINY_MMPROJ_FILE,
  tinyChat,
} from "../testkit/engine.ts";
import type { Engine } from "./engine.ts";

type Json = Record<string, unknown>;

const home = new EngineHome();
let engine: Engine;
beforeAll(async () => {
  engine = await launchTest(home, { mmprojPath: TINY_MMPROJ_FILE });
});
afterAll(async () => {
  await engine.stop(5000);
  home[Symbol.dispose]();
});

async function ok(path: string, body?: object): Promise<Json> {
  const response = await sendToEngine(engine, path, body);
  expect({ path, status: response.status }).toEqual({ path, status: 200 });
  return (await response.json()) as Json;
}

async function refused(path: string, body?: object | string | FormData) {
  const response = await sendToEngine(engine, path, body);
  return { status: response.status, ...((await response.json()) as { error: Json }) };
}

describe("generation", () => {
  test("chat completions answer whole", async () => {
    const answer = await ok("/v1/chat/completions", tinyChat("Goodbye"));
    expect(answer).toMatchObject({
      object: "chat.completion",
      model: "tiny",
      choices: [{ finish_reason: "stop", message: { role: "assistant", content: "Goodbye!" } }],
    });
  });

  test("chat completions stream", async () => {
    const response = await sendToEngine(
      engine,
      "/v1/chat/completions",
      tinyChat("Goodbye", { stream: true }),
    );
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const text = await response.text();
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    const pieces = text.split("\n\n").flatMap((frame) => {
      const json = frame.replace(/^data: /, "");
      return json.startsWith("{") ? [JSON.parse(json).choices[0]?.delta.content ?? ""] : [];
    });
    expect(pieces.join("")).toBe("Goodbye!");
  });

  test("completions answer, in OpenAI's shape and in llama.cpp's", async () => {
    const request = { prompt: "Hello", max_tokens: 4, n_predict: 4, temperature: 0 };
    expect(await ok("/v1/completions", request)).toMatchObject({ object: "text_completion" });
    expect(await ok("/completion", request)).toHaveProperty("content");
  });

  test.each([false, true])("chats tell which stop sequence ended them (%p)", async (stream) => {
    const text = await (
      await sendToEngine(engine, "/v1/chat/completions", {
        ...tinyChat("Count from 29 to 37.", { stop: ["never", "33"], stream }),
      })
    ).text();
    expect(text).toContain('"stopping_word":"33"');
    const whole = await sendToEngine(
      engine,
      "/v1/chat/completions",
      tinyChat("Goodbye", { stream }),
    );
    expect(await whole.text()).not.toContain("stopping_word");
  });

  test("media are never fetched", async () => {
    let visits = 0;
    using server = Bun.serve({ port: 0, fetch: () => new Response(`${++visits}`) });
    const image = { type: "image_url", image_url: { url: `${server.url}cat.png` } };
    const answer = await refused("/v1/chat/completions", {
      messages: [{ role: "user", content: [image, { type: "text", text: "What is it?" }] }],
    });
    expect(answer.status).toBe(400);
    expect(visits).toBe(0);
  });

  test("infill is refused by a model that was not made for it", async () => {
    const { status } = await refused("/infill", { input_prefix: "a", input_suffix: "b" });
    expect(status).toBe(501);
  });
});

describe("counting and tokens", () => {
  const input = tinyChat("Hello");

  test("chats are counted as they are read", async () => {
    const { input_tokens } = await ok("/v1/chat/completions/input_tokens", input);
    const { usage } = await ok("/v1/chat/completions", input);
    expect((usage as Json).prompt_tokens).toBe(input_tokens);
  });

  test("what is tokenized detokenizes to the same", async () => {
    const { tokens } = await ok("/tokenize", { content: "Hello, Welt! ü" });
    expect(await ok("/detokenize", { tokens })).toEqual({ content: "Hello, Welt! ü" });
  });

  test("the chat template can be applied alone", async () => {
    const { prompt } = await ok("/apply-template", input);
    expect(prompt).toContain("<|im_start|>user");
  });
});

describe("state", () => {
  test("props, slots and models tell of the model", async () => {
    expect(await ok("/props")).toMatchObject({ total_slots: 4, model_alias: "tiny" });
    expect(await ok("/slots")).toHaveLength(4);
    expect(await ok("/v1/models")).toMatchObject({ data: [{ id: "tiny" }] });
    expect(await ok("/health")).toEqual({ status: "ok" });
  });

  test("metrics are Prometheus text", async () => {
    const response = await sendToEngine(engine, "/metrics");
    expect(response.headers.get("content-type")).toStartWith("text/plain");
    expect(await response.text()).toContain("llamacpp:prompt_tokens_total");
  });

  test("there are no adapters, and none can be scaled", async () => {
    expect(await ok("/lora-adapters")).toEqual([] as never);
    const { status } = await refused("/lora-adapters", { id: 0 });
    expect(status).toBe(400);
  });

  test("a slot can be erased; saving needs a folder", async () => {
    const { status } = await refused("/slots/0?action=save", { filename: "x" });
    expect(status).toBe(501);
  });
});

describe("refusals", () => {
  test("have a code that is a string, in OpenAI's shape", async () => {
    for (const path of ["/v1/chat/completions", "/v1/completions"]) {
      const { status, error } = await refused(path, "{not json");
      expect({ path, status }).toEqual({ path, status: 400 });
      expect(error).toMatchObject({ type: "invalid_request_error", code: "invalid_request" });
      expect(error.message).toBeString();
    }
  });

  test("a prompt beyond the context is the client's mistake", async () => {
    const { status, error } = await refused("/v1/chat/completions", tinyChat("word ".repeat(5000)));
    expect(status).toBe(400);
    expect(error.code).toBe("context_length_exceeded");
  });

  test("embeddings and reranking need an engine started for them", async () => {
    const embeddings = await refused("/v1/embeddings", { input: "a" });
    expect(embeddings).toMatchObject({ status: 501, error: { code: "not_supported" } });
    const rerank = await refused("/v1/rerank", { query: "a", documents: ["b"] });
    expect(rerank).toMatchObject({ status: 501, error: { code: "not_supported" } });
  });

  test("a recording sent to a model without ears", async () => {
    const form = new FormData();
    form.append("file", new Blob([new Uint8Array(1000)], { type: "audio/wav" }), "a.wav");
    form.append("model", "tiny");
    const { status, error } = await refused("/v1/audio/transcriptions", form);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(502);
    expect(error.message).toContain("audio");
  });

  test("a broken picture", async () => {
    const url = `data:image/png;base64,${btoa("no picture")}`;
    const content = [{ type: "image_url", image_url: { url } }];
    const messages = [{ role: "user", content }];
    const { status, error } = await refused("/v1/chat/completions", { messages });
    expect(status).toBe(400);
    expect(error.code).toBeString();
  });

  test("unknown paths and wrong methods", async () => {
    expect(await refused("/v1/nothing")).toMatchObject({ status: 404 });
    // The node translates these.
    expect(await refused("/v1/messages", tinyChat("Hello"))).toMatchObject({ status: 404 });
    expect(await refused("/v1/chat/completions")).toMatchObject({ status: 405 });
  });
});

describe("large and odd bodies", () => {
  test("an answer beyond the size of one drain arrives whole, also next to others", async () => {
    const content = "abc 123 ".repeat(20_000);
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => ok("/tokenize", { content, with_pieces: true })),
    );
    for (const { tokens } of answers) {
      const pieces = (tokens as { piece: string }[]).map(({ piece }) => piece);
      expect(pieces.join("") === content).toBe(true);
    }
  });

  test("a broken form is the client's mistake", async () => {
    const { url, unix } = engine.target("/v1/audio/transcriptions");
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=x" },
      body: "no form",
      ...(unix === undefined ? {} : { unix }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_request" } });
  });

  test("an empty body", async () => {
    const { status } = await refused("/v1/chat/completions", "");
    expect(status).toBe(400);
  });
});
