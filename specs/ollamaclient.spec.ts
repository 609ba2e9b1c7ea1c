import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Message, Ollama, type Tool } from "ollama";
import { type Case, caseOf } from "../src/testkit/cases.ts";
import { busySlots, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { type ProgramPair, startPair } from "../src/testkit/servers/chatonly.ts";
import { failureOf } from "../src/testkit/state.ts";

setDefaultTimeout(20_000);

let ways: ProgramPair;
beforeAll(async () => {
  ways = await startPair();
});
afterAll(() => ways?.[Symbol.asyncDispose]());

const COUNT = "Count from 29 to 37.";
const COUNTED = "29, 30, 31, 32, 33, 34, 35, 36, 37";
const options = { temperature: 0 };

const tool = (name: string, argument: string): Tool => ({
  type: "function",
  function: {
    name,
    description: "As it is called",
    parameters: {
      type: "object",
      properties: { [argument]: { type: "string", description: "What to use" } },
      required: [argument],
    },
  },
});

/** A case's first message in Ollama's form: texts, and images in base64 beside them. */
function messageOf({ request }: Case): Message {
  const parts = request.messages[0]?.content as { text?: string; image_url?: { url: string } }[];
  const images = parts.flatMap(({ image_url }) => image_url?.url.split(",")[1] ?? []);
  return { role: "user", content: parts.map(({ text }) => text ?? "").join(""), images };
}

describe.each(["native", "translated"] as const)("Ollama's client, %s:", (way) => {
  const client = () => new Ollama({ host: ways[way].url });

  test("chats are answered, streamed or not", async () => {
    const asked = { model: TINY, messages: says(COUNT), options };
    const whole = await client().chat(asked);
    expect(whole).toMatchObject({ done: true, done_reason: "stop", message: { content: COUNTED } });
    const parts = await Array.fromAsync(await client().chat({ ...asked, stream: true }));
    expect(parts.map(({ message }) => message.content).join("")).toBe(COUNTED);
    expect(parts.at(-1)).toMatchObject({ done: true, eval_count: whole.eval_count });
  });

  test.each([false, true])("a tool is called and answered for (streamed: %p)", async (streamed) => {
    const tools = [tool("get_stock_price", "symbol")];
    const talk = async (messages: Message[]): Promise<Message> => {
      const asked = { model: TINY, messages, tools, options };
      if (!streamed) return (await client().chat(asked)).message;
      const said: Message = { role: "assistant", content: "", tool_calls: [] };
      for await (const { message } of await client().chat({ ...asked, stream: true })) {
        said.content += message.content;
        said.tool_calls?.push(...(message.tool_calls ?? []));
      }
      return said;
    };
    const messages: Message[] = says("What is the stock price of ABC?");
    const call = await talk(messages);
    expect(call.tool_calls).toMatchObject([
      { function: { name: "get_stock_price", arguments: { symbol: "ABC" } } },
    ]);
    messages.push(call, { role: "tool", tool_name: "get_stock_price", content: "866" });
    expect((await talk(messages)).content).toBe("The stock price of ABC is 866.");
  });

  test("tools are called side by side", async () => {
    const tools = [tool("get_time", "timezone"), tool("weather", "city")];
    const messages = says("What time is it in Europe/Berlin and Asia/Seoul?");
    const { message } = await client().chat({ model: TINY, messages, tools, options });
    expect(message.tool_calls?.map((call) => call.function.arguments)).toEqual([
      { timezone: "Europe/Berlin" },
      { timezone: "Asia/Seoul" },
    ]);
  });

  test("answers take the form of a schema, or of JSON", async () => {
    const messages = says("Extract the animal and colour as JSON: The mouse is pink.");
    const colour = { enum: ["green", "blue"] };
    const format = {
      ...{ type: "object", additionalProperties: false, required: ["animal", "colour"] },
      properties: { animal: { type: "string" }, colour },
    };
    const bound = await client().chat({ model: TINY, messages, format, options });
    const parsed = JSON.parse(bound.message.content);
    expect([parsed.animal, colour.enum.includes(parsed.colour)]).toEqual(["mouse", true]);
    const free = await client().chat({ model: TINY, messages, format: "json", options });
    expect(JSON.parse(free.message.content)).toEqual({ animal: "mouse", colour: "pink" });
  });

  test("images are seen, in chats and in generations", async () => {
    const one = caseOf("image_describe");
    const message = messageOf(one);
    const chat = await client().chat({ model: TINY, messages: [message], options });
    expect({ content: chat.message.content } as object).toEqual(one.expected);
    const { content: prompt, images = [] } = message;
    const asked = { model: TINY, prompt, images, options };
    const { response } = await client().generate(asked);
    expect({ content: response } as object).toEqual(one.expected);
  });

  test("texts are embedded", async () => {
    const { embeddings } = await client().embed({ model: TINY, input: ["one", "two"] });
    expect(embeddings.map(({ length }) => length)).toEqual([256, 256]);
  });

  test("a stream that is given up frees its slot", async () => {
    const stream = await client().generate({
      ...{ model: TINY, prompt: "Count.", stream: true },
      // An answer that cannot be short.
      format: { type: "array", items: { type: "integer" }, minItems: 400 },
      options: { num_predict: 1800 },
    });
    const seen = (async () => {
      for await (const _ of stream) stream.abort();
    })();
    expect(await failureOf(seen)).toContain("abort");
    const idle = async () => (await busySlots(ways.native.nodeUrl, TINY)) === 0 || undefined;
    await eventually(idle);
  });

  test("errors are the client's own", async () => {
    for (const stream of [false, true]) {
      const failure = client().chat({ model: "nope", messages: says("x"), stream } as never);
      expect(await failure.catch((error: unknown) => error)).toMatchObject({
        ...{ name: "ResponseError", status_code: 404, error: expect.stringContaining("`nope`") },
      });
    }
  });
});

test("requests to an Ollama server stay as they are, keep_alive among them", async () => {
  const asked: unknown[] = [];
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/") return new Response("Ollama is running");
      if (pathname === "/api/version") return Response.json({ version: "0.9.0" });
      const models = [{ name: "remote", model: "remote", size: 1, digest: "d" }];
      if (pathname === "/api/tags") return Response.json({ models });
      if (pathname === "/v1/models") {
        return Response.json({ object: "list", data: [{ id: "remote", object: "model" }] });
      }
      if (pathname !== "/api/chat") return new Response("no", { status: 404 });
      asked.push(await request.json());
      const message = { role: "assistant", content: "well" };
      return Response.json({ model: "remote", created_at: "x", message, done: true });
    },
  });
  const args = ["--endpoint", `ollama=http://127.0.0.1:${server.port}`];
  const balancer = await Program.start({ mode: "balancer", args });
  try {
    await eventually(async () => {
      const listed = await (await fetch(`${balancer.url}/api/endpoints?kind=ollama`)).json();
      return (listed as { total: number }).total === 1 || undefined;
    });
    const request = {
      ...{ model: "remote", messages: says("x"), keep_alive: "7m", think: false },
      options: { num_ctx: 4096, mirostat: 1 },
      stream: false as const,
    };
    const { message } = await new Ollama({ host: balancer.url }).chat(request);
    expect(message.content).toBe("well");
    expect(asked).toEqual([request]);
  } finally {
    await balancer.stop();
  }
});
