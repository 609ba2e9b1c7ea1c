import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI from "openai";
import type { ChatCompletionStreamParams } from "openai/lib/ChatCompletionStream";
import type {
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionTool,
} from "openai/resources/chat/completions";
import { type Case, caseOf } from "../src/testkit/cases.ts";
import { busySlots, openai, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(20_000);

let program: Program;
let client: OpenAI;
beforeAll(async () => {
  program = await Program.start();
  client = openai(program);
});
afterAll(() => program?.stop());

type Request = Omit<ChatCompletionCreateParamsNonStreaming, "model">;

function ask(request: Request) {
  return client.chat.completions.create({ model: TINY, temperature: 0, ...request });
}

/** A case's request, in the client's own type. */
function requestOf({ request }: Case): Request {
  return request as unknown as Request;
}

function count(more: object = {}) {
  return ask({ messages: says("Count from 29 to 37."), ...more });
}

describe("chat completions", () => {
  test("answer in one piece", async () => {
    const answer = await ask({ messages: says("Goodbye") });
    expect(answer).toMatchObject({ object: "chat.completion", model: TINY });
    expect(answer.id).toMatch(/^chatcmpl-/);
    expect(Math.abs(answer.created - Date.now() / 1000)).toBeLessThan(60);
    expect(answer.choices).toHaveLength(1);
    expect(answer.choices[0]).toMatchObject({
      index: 0,
      finish_reason: "stop",
      message: { role: "assistant", content: "Goodbye!" },
    });
    expect(answer.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 6 });
    expect(answer._request_id).toMatch(/^req_/);
  });

  test("stream the same answer in pieces, with usage when asked", async () => {
    const { request, expected } = caseOf("stories");
    const stream = await client.chat.completions.create({
      ...requestOf({ request } as Case),
      model: TINY,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);
    const deltas = chunks.map(({ choices }) => choices[0]?.delta.content ?? "");
    expect({ content: deltas.join("") }).toEqual(expected as { content: string });
    expect(deltas.filter((delta) => delta !== "").length).toBeGreaterThan(50);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
    const ends = chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []);
    expect(ends).toEqual(["stop"]);
    const usage = chunks.at(-1)?.usage;
    expect(usage?.completion_tokens).toBeGreaterThan(50);
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
  });

  test("remember what was said before", async () => {
    const answer = await ask({
      messages: [
        ...says("My home is in Jakarta."),
        { role: "assistant", content: "Jakarta is a nice place." },
        ...says("Tell me four colours."),
        { role: "assistant", content: "red, green, blue, yellow" },
        ...says("Where do I live?"),
      ],
    });
    expect(answer.choices[0]?.message.content).toBe("You live in Jakarta.");
  });

  test("follow the system message", async () => {
    const system = { role: "system" as const, content: "You are called Traigos." };
    const answer = await ask({ messages: [system, ...says("Introduce yourself.")] });
    expect(answer.choices[0]?.message.content).toBe("I am Traigos.");
  });

  test("end at max_tokens and say so", async () => {
    for (const limit of [{ max_tokens: 5 }, { max_completion_tokens: 5 }]) {
      const { choices, usage } = await count(limit);
      expect(choices[0]?.finish_reason).toBe("length");
      expect(choices[0]?.message.content).toBe("29, 3");
      expect(usage?.completion_tokens).toBe(5);
    }
  });

  test("end before a stop text", async () => {
    const { choices } = await count({ stop: ["33"] });
    expect(choices[0]?.finish_reason).toBe("stop");
    expect(choices[0]?.message.content).toBe("29, 30, 31, 32, ");
  });

  test("tell the probabilities of tokens", async () => {
    const { choices } = await count({ logprobs: true, top_logprobs: 2, max_tokens: 2 });
    const tokens = choices[0]?.logprobs?.content ?? [];
    expect(tokens.map(({ token }) => token).join("")).toBe("29");
    for (const { logprob, top_logprobs: top } of tokens) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(top).toHaveLength(2);
      expect(top[0]?.logprob).toBe(logprob);
    }
  });

  test("repeat the answer of a seed and vary with it", async () => {
    // One after the other: side by side the last bits of a number depend on who computes along.
    const hot = { temperature: 1.5, max_tokens: 30, top_p: 1, ...{ top_k: 0, min_p: 0 } };
    const texts: (string | null | undefined)[] = [];
    for (const seed of [1, 1, 1, 2, 3]) {
      const { choices } = await ask({ messages: says("Tell me a story."), seed, ...hot });
      texts.push(choices[0]?.message.content);
    }
    // The first finds nothing in the cache.
    const [, one, same, ...others] = texts;
    expect(same).toBe(one as string);
    expect(others.some((other) => other !== one)).toBe(true);
  });
});

describe("tools", () => {
  const calls = (found: OpenAI.ChatCompletionMessageToolCall[] | undefined) =>
    (found ?? []).map((call) => {
      if (call.type !== "function") throw new Error(`a call of type ${call.type}`);
      return { name: call.function.name, arguments: JSON.parse(call.function.arguments) };
    });

  test.each(["tool_call", "tool_parallel"])("are called (%s)", async (task) => {
    const one = caseOf(task);
    const answer = await ask(requestOf(one));
    const [choice] = answer.choices;
    expect(choice?.finish_reason).toBe("tool_calls");
    expect({ tool_calls: calls(choice?.message.tool_calls) }).toEqual(one.expected as never);
    const ids = (choice?.message.tool_calls ?? []).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => id.length > 0)).toBe(true);
  });

  test("are called in a stream, with arguments in pieces", async () => {
    const one = caseOf("tool_parallel");
    const stream = client.chat.completions.stream({
      ...(one.request as unknown as ChatCompletionStreamParams),
      model: TINY,
    });
    let pieces = 0;
    stream.on("tool_calls.function.arguments.delta", () => {
      pieces += 1;
    });
    const final = await stream.finalChatCompletion();
    expect(pieces).toBeGreaterThan(4);
    expect(final.choices[0]?.finish_reason).toBe("tool_calls");
    const called = calls(final.choices[0]?.message.tool_calls);
    expect({ tool_calls: called }).toEqual(one.expected as never);
  });

  test("are answered for: the result leads to the final text", async () => {
    const tools: ChatCompletionTool[] = [
      {
        type: "function",
        function: {
          name: "get_stock_price",
          parameters: {
            type: "object",
            properties: { symbol: { type: "string" } },
            required: ["symbol"],
          },
        },
      },
    ];
    const messages: Request["messages"] = says("What is the stock price of ABC?");
    const first = await ask({ messages, tools });
    const message = first.choices[0]?.message;
    const [call] = message?.tool_calls ?? [];
    if (message === undefined || call === undefined) throw new Error("no call came");
    const result = { role: "tool" as const, tool_call_id: call.id, content: "866" };
    const second = await ask({ messages: [...messages, message, result], tools });
    expect(second.choices[0]?.message.content).toBe("The stock price of ABC is 866.");
  });
});

describe("structured output", () => {
  const schema = {
    type: "object",
    properties: { animal: { type: "string" }, colour: { enum: ["green", "blue"] } },
    required: ["animal", "colour"],
    additionalProperties: false,
  };

  test("follows a JSON schema, even against the model's own mind", async () => {
    const messages = says("Extract the animal and colour as JSON: The mouse is pink.");
    const free = await ask({ messages });
    expect(JSON.parse(free.choices[0]?.message.content ?? "")).toEqual({
      animal: "mouse",
      colour: "pink",
    });
    const bound = await ask({
      messages,
      response_format: { type: "json_schema", json_schema: { name: "a", strict: true, schema } },
    });
    const { animal, colour } = JSON.parse(bound.choices[0]?.message.content ?? "");
    expect(animal).toBe("mouse");
    expect(["green", "blue"]).toContain(colour);
  });

  test("follows a grammar (llama.cpp's GBNF)", async () => {
    const grammar = 'root ::= "yes" | "no"';
    const { choices } = await ask({ messages: says("Goodbye"), grammar } as Request);
    expect(["yes", "no"]).toContain(choices[0]?.message.content as string);
  });
});

describe("images", () => {
  test.each(["image_colour", "image_describe", "image_two"])("are seen (%s)", async (task) => {
    const one = caseOf(task);
    const answer = await ask(requestOf(one));
    const { content } = answer.choices[0]?.message ?? {};
    expect({ content }).toEqual(one.expected as { content: string });
  });
});

describe("embeddings", () => {
  const similar = (a: number[] = [], b: number[] = []) => {
    const dot = (x: number[], y: number[]) => x.reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };

  test("have 256 dimensions and are close for what is alike", async () => {
    const input = ["Give me two birds.", "Please name five animals.", "What is 57 plus 66?"];
    // Without encoding_format the client asks for base64 and decodes it.
    const { data, usage, model } = await client.embeddings.create({ model: TINY, input });
    expect(model).toBe(TINY);
    expect(data.map(({ index, embedding }) => [index, embedding.length])).toEqual([
      [0, 256],
      [1, 256],
      [2, 256],
    ]);
    const [birds, animals, sum] = data.map(({ embedding }) => embedding);
    expect(similar(birds, animals)).toBeGreaterThan(similar(birds, sum) + 0.1);
    expect(usage.prompt_tokens).toBeGreaterThan(10);

    const options = { model: TINY, input, encoding_format: "float" as const };
    const floats = (await client.embeddings.create(options)).data[0]?.embedding ?? [];
    expect(similar(floats, birds)).toBeGreaterThan(0.9999);
  });
});

describe("models", () => {
  test("are listed and looked up", async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id, object }) => [id, object])).toEqual([[TINY, "model"]]);
    const [listed] = data;
    const one = await client.models.retrieve(TINY);
    expect(one).toEqual(listed as typeof one);
    expect(one.created).toBeGreaterThan(1_600_000_000);
    expect(one.owned_by).toBeString();
  });
});

describe("errors, as the client sees them", () => {
  const failure = async (work: Promise<unknown>) => {
    const thrown = await work.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (thrown instanceof OpenAI.APIError) return thrown;
    throw new Error(`no API error: ${thrown}`);
  };

  test("an unknown model is a NotFoundError, streaming or not", async () => {
    const messages = says("Goodbye");
    for (const stream of [false, true]) {
      const error = await failure(
        client.chat.completions.create({ model: "nobody/nothing", messages, stream }),
      );
      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error).toMatchObject({ code: "model_not_found", param: "model" });
      expect(error.message).toContain("nobody/nothing");
      expect(error.requestID).toMatch(/^req_/);
    }
    expect(await failure(client.models.retrieve("nothing"))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test("a wrong field is a BadRequestError that names it", async () => {
    const error = await failure(
      ask({ messages: says("Goodbye"), temperature: "hot" as unknown as number }),
    );
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ type: "invalid_request_error", code: expect.any(String) });
    expect(error.message).toContain("temperature");
  });

  test("a prompt that does not fit is told by its code", async () => {
    const error = await failure(ask({ messages: says("word ".repeat(5000)) }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error.code).toBe("context_length_exceeded");
  });
});

describe("a request", () => {
  test("has an id, the client's own if it sends one", async () => {
    const own = await client.chat.completions.create(
      { model: TINY, messages: says("Goodbye"), temperature: 0 },
      { headers: { "x-request-id": "my-own-id-1" } },
    );
    expect(own._request_id).toBe("my-own-id-1");
    const [one, two] = await Promise.all([1, 2].map(() => client.models.retrieve(TINY)));
    expect(one?._request_id).toMatch(/^req_/);
    expect(two?._request_id).toMatch(/^req_/);
    expect(one?._request_id).not.toBe(two?._request_id as string);
  });

  test("that is given up in mid-stream stops the work", async () => {
    const stream = await client.chat.completions.create({
      model: TINY,
      messages: says("Tell me a story about a robot"),
      stream: true,
      max_tokens: 1800,
      ...{ ignore_eos: true },
    });
    let chunks = 0;
    for await (const _ of stream) {
      chunks += 1;
      if (chunks === 3) stream.controller.abort();
    }
    const idle = async () => (await busySlots(program.nodeUrl, TINY)) === 0 || undefined;
    await eventually(idle, 1000);
    expect(chunks).toBeLessThan(1000);
  });
});
