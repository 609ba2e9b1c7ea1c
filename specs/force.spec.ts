import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { bodies, type HardBody } from "../scripts/bench/rig/bodies.ts";
import { Heartbeat } from "../scripts/bench/rig/heartbeat.ts";
import { usageOf } from "../scripts/bench/rig/process.ts";
import { post, says } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { pngFile, webpFile } from "../src/testkit/images.ts";
import { Program } from "../src/testkit/program.ts";
import { type FloodEndpoint, startFlood } from "../src/testkit/servers/flood.ts";
import type { EndpointDetail } from "../src/wire/endpoint.ts";

setDefaultTimeout(120_000);

/** Ten times what is promised: these tests run beside others. The faults were of seconds. */
const HEALTH_MS_MAX = 1000;
const MIB = 2 ** 20;

let program: Program;
let flood: FloodEndpoint;
let heartbeat: Heartbeat;

beforeAll(async () => {
  flood = await startFlood();
  const args = ["--endpoint", `flood=${flood.url}`, "--images-max", "20"];
  program = await Program.start({ mode: "balancer", args });
  heartbeat = new Heartbeat(program.url);
});
afterAll(async () => {
  await heartbeat?.stop();
  await program?.stop();
  await flood?.[Symbol.asyncDispose]();
});

/** Does something, during which nobody else may wait. */
async function unnoticed<T>(work: () => Promise<T>): Promise<T> {
  await heartbeat.longestMs();
  const result = await work();
  expect(await heartbeat.longestMs()).toBeLessThan(HEALTH_MS_MAX);
  return result;
}

async function statusOf({ path, body }: Pick<HardBody, "path" | "body">): Promise<number> {
  const headers = { "content-type": "application/json" };
  const request = { method: "POST", headers, body: new Uint8Array(body) };
  const response = await fetch(program.url + path, request);
  await response.bytes();
  return response.status;
}

describe("nobody waits for a body of 20 MB", () => {
  const shapes: [string, number][] = [
    ["line feeds in a text", 200],
    ["\\u0060 in a text", 200],
    ["two models", 400],
    ["two models in 200 kB", 400],
    ["a list of numbers", 400],
    ["a list of fractions", 200],
    ["a list of long integers", 400],
    ["a list of lists", 400],
    ["a million names", 400],
    ["100,000 levels", 400],
    ["white space", 400],
    ["digits", 400],
    ["600,000 messages", 400],
    ["one message, /v1/messages", 200],
    ["one message, /v1/responses", 200],
    ["one message, /api/chat", 200],
    ["a list of long integers, /v1/messages", 400],
  ];

  test.each(shapes)("of %s", async (name, status) => {
    const body = bodies().find((one) => one.name === name);
    if (body === undefined) throw new Error(`There is no body of ${name}.`);
    const statuses = await unnoticed(() => Promise.all([statusOf(body), statusOf(body)]));
    expect(statuses).toEqual([status, status]);
  });
});

describe("nobody waits for an answer", () => {
  const requests = ["line", "events"].flatMap((model) =>
    ["/v1/chat/completions", "/v1/messages"].map((path) => [model, path] as const),
  );

  test.each(requests)("of %s at %s", async (model, path) => {
    const request = { model, stream: true, max_tokens: 9, messages: says("hi") };
    const bytes = await unnoticed(async () => {
      const response = await post(program.url + path, request);
      expect(response.status).toBe(200);
      let size = 0;
      for await (const piece of response.body ?? []) size += piece.length;
      return size;
    });
    // The endpoint's chunks of nothing are no events of Anthropic's API.
    if (model === "line" || path === "/v1/chat/completions") expect(bytes).toBeGreaterThan(1000);
  });
});

test.each([
  ["text", "/v1/chat/completions", 200],
  ["text", "/v1/messages", 200],
  ["text", "/api/chat", 200],
  ["integers", "/v1/chat/completions", 200],
  ["integers", "/v1/messages", 502],
])("nobody waits for an answer in one piece of %s at %s", async (model, path, status) => {
  const request = { model, stream: false, max_tokens: 9, messages: says("hi") };
  const response = await unnoticed(async () => {
    const answer = await post(program.url + path, request);
    return { status: answer.status, size: (await answer.bytes()).length };
  });
  expect(response.status).toBe(status);
  if (status === 200) expect(response.size).toBeGreaterThan(19_000_000);
});

test("nobody waits for a list of 100,000 models, and it takes no memory", async () => {
  await using many = await startFlood(100_000);
  const rss = () => (process.platform === "linux" ? usageOf(program.pid).rssBytes : 0);
  const before = rss();
  await unnoticed(async () => {
    const added = await post(`${program.url}/api/endpoints`, { name: "many", base_url: many.url });
    const { id } = (await added.json()) as EndpointDetail;
    const path = `${program.url}/api/endpoints/${id}`;
    const read = async (url: string) => (await fetch(url)).json();
    const seen = await eventually(async () => {
      const one: EndpointDetail = await read(path);
      return one.status === "online" && one.kind !== null ? one : undefined;
    }, 30_000);
    expect(seen).toMatchObject({
      model_count: 5000,
      models_limited: "It lists 100005 models; the first 5000 are used.",
    });
    await post(`${path}/test`, {});
    expect(await (await post(`${path}/sync`, {})).json()).toMatchObject({ updated: 5000 });
    expect((await read(`${program.url}/v1/models`)).data).toHaveLength(5000);
    expect((await read(`${program.url}/v1/models?limit=10`)).data).toHaveLength(10);
    expect((await read(`${program.url}/api/tags`)).models).toHaveLength(5000);
    await fetch(path, { method: "DELETE" });
  });
  expect((rss() - before) / MIB).toBeLessThan(400);
});

describe("nobody waits for pictures", () => {
  const chat = (...urls: string[]) => ({
    model: "m",
    messages: [
      {
        role: "user",
        content: urls.map((url) => ({ type: "image_url", image_url: { url } })),
      },
    ],
  });
  const dataUrl = (type: string, file: Buffer) => `data:${type};base64,${file.toBase64()}`;

  test("that are decoded, nor for those of a client that left", async () => {
    const vast = dataUrl("image/webp", await webpFile(8192, 8192));
    const small = dataUrl("image/webp", await webpFile(50, 50));
    await unnoticed(async () => {
      expect((await post(`${program.url}/v1/chat/completions`, chat(vast))).status).toBe(200);
      const leaving = new AbortController();
      const init = { signal: leaving.signal };
      const left = [1, 2, 3].map(() =>
        post(`${program.url}/v1/chat/completions`, chat(vast, vast, vast), init),
      );
      await Bun.sleep(500);
      leaving.abort();
      expect((await Promise.allSettled(left)).map(({ status }) => status)).toEqual(
        left.map(() => "rejected"),
      );
      // All of them would have taken a minute.
      const startMs = performance.now();
      expect((await post(`${program.url}/v1/chat/completions`, chat(small))).status).toBe(200);
      expect(performance.now() - startMs).toBeLessThan(20_000);
    });
  });

  test("that have too many pixels together: each API says so", async () => {
    const file = pngFile(8192, 8192);
    const urls = Array.from({ length: 5 }, () => dataUrl("image/png", file));
    const refused = await post(`${program.url}/v1/chat/completions`, chat(...urls));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { code: "too_many_pixels", param: "messages.0.content.4.image_url" },
    });
    const source = { type: "base64", media_type: "image/png", data: file.toBase64() };
    const content = urls.map(() => ({ type: "image", source }));
    const messages = [{ role: "user", content }];
    const anthropic = { model: "m", max_tokens: 9, messages };
    expect(await (await post(`${program.url}/v1/messages`, anthropic)).json()).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining("Too many pixels") },
    });
    const images = urls.map(() => file.toBase64());
    const ollama = { model: "m", messages: [{ role: "user", content: "a", images }] };
    expect(await (await post(`${program.url}/api/chat`, ollama)).json()).toEqual({
      error: expect.stringContaining("Too many pixels"),
    });
  });
});
