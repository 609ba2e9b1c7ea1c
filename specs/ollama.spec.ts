import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Ollama } from "ollama";
import { busySlots, post, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { failureOf } from "../src/testkit/state.ts";

setDefaultTimeout(20_000);

let program: Program;
let client: Ollama;
beforeAll(async () => {
  program = await Program.start({ args: ["--health-interval", "1s"] });
  client = new Ollama({ host: program.url });
});
afterAll(() => program?.stop());

const COUNT = "Count from 29 to 37.";
const COUNTED = "29, 30, 31, 32, 33, 34, 35, 36, 37";
const options = { temperature: 0 };

/** An answer that cannot be short. */
const LONG = { type: "array", items: { type: "integer" }, minItems: 400 };

describe("chats", () => {
  test("answer in one piece, with what they took", async () => {
    const answer = await client.chat({ model: TINY, messages: says(COUNT), options });
    expect(answer.message).toEqual({ role: "assistant", content: COUNTED });
    expect(answer).toMatchObject({ model: TINY, done: true, done_reason: "stop" });
    for (const name of ["prompt_eval_count", "eval_count", "eval_duration"] as const) {
      expect(answer[name]).toBeGreaterThan(0);
    }
    expect(answer.total_duration).toBeGreaterThanOrEqual(answer.eval_duration);
  });

  test("stream unless told not to, in lines of JSON", async () => {
    const response = await post(`${program.url}/api/chat`, {
      ...{ model: TINY, messages: says(COUNT), options },
    });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const text = await response.text();
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ message }) => message.content).join("")).toBe(COUNTED);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.map(({ done }) => done)).toEqual([...lines.slice(1).map(() => false), true]);
    expect(lines.at(-1).eval_count).toBeGreaterThan(0);
  });

  test("go by the name with `:latest` too, and keep it", async () => {
    const model = `${TINY}:latest`;
    const answer = await client.chat({ model, messages: says(COUNT), options });
    expect([answer.model, answer.message.content]).toEqual([model, COUNTED]);
    const stream = await client.chat({ model, messages: says(COUNT), options, stream: true });
    for await (const part of stream) expect(part.model).toBe(model);
  });

  test("keep to a schema and to a limit", async () => {
    const format = {
      type: "object",
      properties: { city: { type: "string", maxLength: 12 } },
      required: ["city"],
      additionalProperties: false,
    };
    const formed = await client.chat({
      ...{ model: TINY, messages: says("Name a city."), format, options },
    });
    expect(JSON.parse(formed.message.content)).toEqual({ city: expect.any(String) });
    const short = await client.chat({
      ...{ model: TINY, messages: says(COUNT), options: { ...options, num_predict: 3 } },
    });
    expect(short).toMatchObject({ done_reason: "length", eval_count: 3 });
  });

  test("that are aborted free their slot", async () => {
    const stream = await client.chat({
      ...{ model: TINY, messages: says("Count."), stream: true, format: LONG },
      options: { num_predict: 1800 },
    });
    const seen = (async () => {
      for await (const _ of stream) stream.abort();
    })();
    expect(await failureOf(seen)).toContain("abort");
    await eventually(async () => {
      return (await busySlots(program.nodeUrl, TINY)) === 0 || undefined;
    });
  });

  test("without messages load the model", async () => {
    const answer = await client.chat({ model: TINY, messages: [] });
    expect(answer).toMatchObject({ done: true, done_reason: "load" });
  });
});

test("generations continue a conversation of one, or a raw text", async () => {
  const made = await client.generate({ model: TINY, prompt: COUNT, options });
  expect(made).toMatchObject({ response: COUNTED, done: true });
  const stream = await client.generate({ model: TINY, prompt: COUNT, options, stream: true });
  let text = "";
  for await (const part of stream) text += part.response;
  expect(text).toBe(COUNTED);
  const raw = await client.generate({
    ...{ model: TINY, prompt: "29, 30, 31,", raw: true, options: { ...options, num_predict: 4 } },
  });
  expect(raw.eval_count).toBe(4);
  expect(raw.response?.length).toBeGreaterThan(0);
});

test("embeddings are one for each text", async () => {
  const { embeddings } = await client.embed({ model: TINY, input: ["one", "two"] });
  expect(embeddings.length).toBe(2);
  expect(embeddings[0]?.length).toBeGreaterThan(8);
  const { embedding } = await client.embeddings({ model: TINY, prompt: "one" });
  expect(embedding.length).toBe(embeddings[0]?.length ?? 0);
});

test("models are listed, shown, and told to be loaded", async () => {
  const { models } = await client.list();
  const names = models.map(({ name }) => name);
  expect(names).toContain(TINY);
  expect((await client.show({ model: `${TINY}:latest` })).capabilities).toContain("completion");
  await client.generate({ model: TINY, prompt: "" });
  const loaded = await eventually(async () => {
    const { models } = await client.ps();
    return models.find(({ name }) => name === TINY);
  });
  expect(loaded.model).toBe(TINY);
  expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
});

test("a chat may come as curl sends it, which calls it a form", async () => {
  const body = JSON.stringify({ model: TINY, messages: says(COUNT), options, stream: false });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const response = await fetch(`${program.url}/api/chat`, { method: "POST", headers, body });
  expect(await response.json()).toMatchObject({ done: true, message: { content: COUNTED } });
});

describe("what is wrong", () => {
  test.each<[string, object, number, RegExp]>([
    ["/api/chat", { model: "nope", messages: says("x") }, 404, /`nope`/],
    ["/api/chat", { messages: says("x") }, 400, /`model`/],
    ["/api/chat", { model: TINY, messages: [{ role: "x", content: "" }] }, 400, /role/],
    ["/api/generate", { model: TINY, prompt: "x", suffix: "y" }, 400, /`suffix`/],
    ["/api/embed", { model: TINY }, 400, /`input`/],
    ["/api/show", { model: "nope" }, 404, /`nope`/],
    ["/api/pull", { model: "x" }, 501, /llmlb model/],
  ])("on %s with %j is an error in Ollama's words", async (path, body, status, reason) => {
    const response = await post(program.url + path, body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: string };
    expect(error).toMatch(reason);
  });
});
