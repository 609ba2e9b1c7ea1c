import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type OpenAI from "openai";
import { failureOf } from "../src/db/state.fixture.ts";
import { openai, TINY } from "./clients.ts";
import { Program } from "./program.ts";

setDefaultTimeout(20_000);

/** A server in front of a node that knows chat completions and nothing else. */
function chatOnly(nodeUrl: string) {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const known = ["/v1/models", "/v1/chat/completions"].includes(pathname);
      if (!known) return new Response("not here", { status: 404 });
      const { method, signal, headers } = request;
      const body = method === "POST" ? await request.text() : undefined;
      return fetch(nodeUrl + pathname, {
        ...{ method, signal, headers: { "content-type": headers.get("content-type") ?? "" } },
        ...(body === undefined ? {} : { body }),
      });
    },
  });
}

let node: Program;
let balancer: Program;
let server: ReturnType<typeof chatOnly>;
/** Through an endpoint that only knows chat completions, and to the node itself. */
let translated: OpenAI;
let native: OpenAI;
beforeAll(async () => {
  node = await Program.start({ mode: "node" });
  server = chatOnly(node.url);
  const args = ["--endpoint", `http://127.0.0.1:${server.port}`];
  balancer = await Program.start({ mode: "balancer", args });
  translated = openai(balancer);
  native = openai(node);
});
afterAll(async () => {
  await balancer?.stop();
  await server?.stop(true);
  await node?.stop();
});

const COUNT = "Count from 29 to 37.";

describe("a response of an endpoint that only knows chat completions", () => {
  test("says what one says that knows responses", async () => {
    for (const request of [
      { input: COUNT },
      { instructions: "You are called Traigos.", input: "Introduce yourself." },
      {
        input: [
          { role: "user" as const, content: "My home is in Jakarta." },
          { type: "message" as const, role: "assistant" as const, content: "A nice place." },
          { role: "user" as const, content: "Where do I live?" },
        ],
      },
    ]) {
      const asked = { model: TINY, temperature: 0, ...request };
      const [ours, theirs] = [
        await translated.responses.create(asked),
        await native.responses.create(asked),
      ];
      expect(ours.output_text).toBe(theirs.output_text);
      expect(ours.usage?.output_tokens).toBe(theirs.usage?.output_tokens ?? 0);
      expect(ours).toMatchObject({ object: "response", status: "completed", model: TINY });
    }
  });

  test("streams the same, in numbered events", async () => {
    const asked = { model: TINY, temperature: 0, input: COUNT };
    const stream = translated.responses.stream(asked);
    const numbers: number[] = [];
    stream.on("event", ({ sequence_number }) => numbers.push(sequence_number));
    const response = await stream.finalResponse();
    expect(response.output_text).toBe((await translated.responses.create(asked)).output_text);
    expect(numbers).toEqual(numbers.map((_, i) => i));
    expect(response.usage?.output_tokens).toBeGreaterThan(2);
  });

  test("keeps to a schema, and is incomplete at its limit", async () => {
    const schema = {
      type: "object",
      properties: { city: { type: "string", maxLength: 12 } },
      required: ["city"],
      additionalProperties: false,
    };
    const response = await translated.responses.parse({
      ...{ model: TINY, input: "Name a city.", temperature: 0 },
      text: { format: { type: "json_schema", name: "place", schema, strict: true } },
    });
    expect(response.output_parsed as unknown).toEqual({ city: expect.any(String) });
    const short = { model: TINY, input: COUNT, max_output_tokens: 3 };
    expect(await translated.responses.create(short)).toMatchObject({
      ...{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
    });
  });

  test("calls a tool that it must call", async () => {
    const parameters = { type: "object", properties: { n: { type: "string", maxLength: 8 } } };
    const response = await translated.responses.create({
      ...{ model: TINY, input: "Call it.", temperature: 0, max_output_tokens: 64 },
      tools: [{ type: "function", name: "lookup", parameters, strict: false }],
      tool_choice: "required",
    });
    const [call] = response.output.filter((item) => item.type === "function_call");
    expect(call?.name).toBe("lookup");
    expect(JSON.parse(call?.arguments ?? "")).toBeObject();
  });

  test("is refused where it needs state or tools of OpenAI", async () => {
    const asked = { model: TINY, input: "x" };
    for (const [more, reason] of [
      [{ previous_response_id: "resp_1" }, "previous_response_id"],
      [{ background: true }, "background"],
      [{ tools: [{ type: "web_search" as const }] }, "tools.0.type"],
    ] as const) {
      const failure = translated.responses.create({ ...asked, ...more } as typeof asked);
      expect(await failureOf(failure)).toContain(reason);
    }
  });
});
