import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { eventually } from "../../testkit/eventually.ts";
import { type KeepingEndpoint, keepingEndpoint } from "../../testkit/servers/responses.ts";

let a: KeepingEndpoint;
let b: KeepingEndpoint;
let front: FakeBalancer;
let home: string;
let client: OpenAI;

async function start(): Promise<void> {
  const aliases = [{ name: "clever", models: ["m"] }];
  const endpoints = { a: a.url, b: b.url };
  front = await fakeBalancer(endpoints, { home, aliases, strategy: "round-robin" });
  client = new OpenAI({ apiKey: "none", baseURL: `${front.url}/v1`, maxRetries: 0 });
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "llmlb-responses-"));
  a = keepingEndpoint("a");
  b = keepingEndpoint("b");
  await start();
});
afterAll(async () => {
  await front[Symbol.asyncDispose]();
  for (const one of [a, b]) one[Symbol.dispose]();
  rmSync(home, { recursive: true, force: true });
});

/** The id of a new response that endpoint `maker` made. */
function make(maker: string, more: object = {}): Promise<string> {
  return eventually(async () => {
    const asked = { model: "clever", input: "hi", ...more };
    // What routes the endpoints have is found out after the first check.
    const answer = await front.post("/v1/responses", asked);
    return new RegExp(`resp_${maker}_\\w+`).exec(await answer.text())?.[0];
  });
}

test.each(["a", "b"])(
  "a response is got, listed and deleted where it is kept: %s",
  async (name) => {
    const { asked } = name === "a" ? a : b;
    const id = await make(name);
    const got = await client.responses.retrieve(id, { include: ["reasoning.encrypted_content"] });
    expect(got).toMatchObject({ id, status: "completed", model: "clever" });
    const items = await client.responses.inputItems.list(id, { limit: 1 });
    expect(items.data).toMatchObject([{ id: `msg_${id}` }]);
    await client.responses.delete(id);
    expect(asked.slice(-3)).toEqual([
      `GET /v1/responses/${id}?include%5B%5D=reasoning.encrypted_content`,
      `GET /v1/responses/${id}/input_items?limit=1`,
      `DELETE /v1/responses/${id}`,
    ]);
    const again = await client.responses.retrieve(id).catch((error: unknown) => error);
    expect(again).toBeInstanceOf(OpenAI.NotFoundError);
  },
);

test("a stream is taken up behind an event, under the client's name for the model", async () => {
  const id = await make("b");
  const stream = await client.responses.retrieve(id, { stream: true, starting_after: 0 });
  const events = await Array.fromAsync(stream);
  expect(events.map(({ type }) => type)).toEqual(["response.in_progress", "response.completed"]);
  expect(events.at(-1)).toMatchObject({ response: { id, model: "clever" } });
  expect(front.balancer.drain.active).toBe(0);
});

test("a response is made in the background where an endpoint does that", async () => {
  const id = await make("b", { background: true });
  expect((await client.responses.retrieve(id)).status).toBe("queued");
  expect((await client.responses.cancel(id)).status).toBe("cancelled");
  const whole = await make("a");
  const refused = await client.responses.cancel(whole).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(OpenAI.BadRequestError);
});

test("what nobody keeps is not found", async () => {
  const tails = ["", "/input_items"].map((tail) => [tail, "GET"] as const);
  for (const [tail, method] of [...tails, ["", "DELETE"], ["/cancel", "POST"]] as const) {
    const answer = await fetch(`${front.url}/v1/responses/resp_x${tail}`, { method });
    expect(answer.status).toBe(404);
    const { error } = (await answer.json()) as { error: { message: string; code: string } };
    expect(error.message).toStartWith("Response with id 'resp_x' not found");
    expect(error.code).toBe("response_not_found");
  }
  const wrong = await fetch(`${front.url}/v1/responses/resp_x`, { method: "PUT" });
  expect(wrong.status).toBe(405);
});

test("a restart forgets nothing", async () => {
  const id = await make("b");
  await front[Symbol.asyncDispose]();
  await start();
  expect((await client.responses.retrieve(id)).id).toBe(id);
  let previous_response_id = id;
  for (let turn = 0; turn < 4; turn += 1) {
    const asked = { model: "m", input: "and?", previous_response_id };
    const next = await client.responses.create(asked);
    expect(next.previous_response_id).toBe(previous_response_id);
    previous_response_id = next.id;
  }
});

test("an endpoint that is gone says so, one that was removed keeps nothing", async () => {
  using c = keepingEndpoint("c", "n");
  await using other = await fakeBalancer({});
  const api = `${other.url}/api/endpoints`;
  const added = { name: "c", base_url: c.url };
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(added) };
  const { id: endpoint } = (await (await fetch(api, init)).json()) as { id: string };
  const id = await eventually(async () => {
    const answer = await other.post("/v1/responses", { model: "n", input: "hi" });
    return /resp_c_\w+/.exec(await answer.text())?.[0];
  });
  c[Symbol.dispose]();
  const get = () => fetch(`${other.url}/v1/responses/${id}`);
  expect((await get()).status).toBe(502);
  for (let i = 0; i < 2; i += 1) await fetch(`${api}/${endpoint}/test`, { method: "POST" });
  await other.until("c", "offline");
  expect((await get()).status).toBe(503);
  await fetch(`${api}/${endpoint}`, { method: "DELETE" });
  expect((await get()).status).toBe(404);
});

test("a cloud gives back what it made, asked by prefix or as a fallback", async () => {
  using cloud = keepingEndpoint("cloud", "gpt");
  const fallbacks = [{ model: "local", to: "openai:gpt" }];
  const more = { openaiBaseUrl: cloud.url, openaiApiKey: "sk-1", fallbacks };
  await using other = await fakeBalancer({}, more);
  const { responses } = new OpenAI({ apiKey: "none", baseURL: `${other.url}/v1`, maxRetries: 0 });
  for (const model of ["openai:gpt", "local"]) {
    const { id } = await responses.create({ model, input: "hi" });
    expect(await responses.retrieve(id)).toMatchObject({ id, model });
    const next = await responses.create({ model, input: "on", previous_response_id: id });
    expect(next.previous_response_id).toBe(id);
  }
  expect(cloud.asked).toHaveLength(2);
});
