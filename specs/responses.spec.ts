import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import type { Response, ResponseInput } from "openai/resources/responses/responses";
import { z } from "zod";
import { type Case, caseOf } from "../src/testkit/cases.ts";
import { busySlots, openai, post, TINY } from "../src/testkit/clients.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { type ProgramPair, startPair } from "../src/testkit/servers/chatonly.ts";
import { keepingEndpoint } from "../src/testkit/servers/responses.ts";
import { failureOf } from "../src/testkit/state.ts";

setDefaultTimeout(20_000);

let ways: ProgramPair;
/** Through an endpoint that only knows chat completions, and through a node. */
let translated: OpenAI;
let native: OpenAI;
beforeAll(async () => {
  ways = await startPair();
  translated = openai(ways.translated);
  native = openai(ways.native);
});
afterAll(() => ways?.[Symbol.asyncDispose]());

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

  test("is refused by a class and a code of the client's", async () => {
    const asked = { model: TINY, input: "x", previous_response_id: "resp_1" };
    for (const stream of [false, true]) {
      const error = await translated.responses
        .create({ ...asked, stream })
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      const { code, param } = error as InstanceType<typeof OpenAI.BadRequestError>;
      expect([code, param]).toEqual(["unsupported_state", "previous_response_id"]);
    }
  });
});

describe.each(["native", "translated"] as const)("a response to the client, %s,", (way) => {
  const responses = () => openai(ways[way]).responses;
  const usual = { model: TINY, temperature: 0 };
  const STOCK = {
    ...{ type: "function" as const, name: "get_stock_price", strict: true },
    parameters: {
      type: "object",
      properties: { symbol: { type: "string" } },
      required: ["symbol"],
      additionalProperties: false,
    },
  };
  const kindsOf = (events: { type: string }[]) =>
    events.map(({ type }) => type).filter((kind, at, all) => kind !== all[at - 1]);

  test("streams its events in the order of the API", async () => {
    const stream = await responses().create({ ...usual, input: COUNT, stream: true });
    expect(kindsOf(await Array.fromAsync(stream))).toEqual([
      ...["response.created", "response.in_progress"],
      ...["response.output_item.added", "response.content_part.added"],
      ...["response.output_text.delta", "response.output_text.done"],
      ...["response.content_part.done", "response.output_item.done"],
      "response.completed",
    ]);
  });

  test("streams the calls of a tool in that order too", async () => {
    const input = "What is the stock price of ABC?";
    const stream = await responses().create({
      ...{ ...usual, input, tools: [STOCK], stream: true },
    });
    const events = await Array.fromAsync(stream);
    expect(kindsOf(events)).toEqual([
      ...["response.created", "response.in_progress", "response.output_item.added"],
      ...["response.function_call_arguments.delta", "response.function_call_arguments.done"],
      ...["response.output_item.done", "response.completed"],
    ]);
    const pieces = events.map((event) =>
      event.type === "response.function_call_arguments.delta" ? event.delta : "",
    );
    expect(JSON.parse(pieces.join(""))).toEqual({ symbol: "ABC" });
  });

  test.each([false, true])("takes what its tools answer (streamed: %p)", async (streamed) => {
    const talk = (input: ResponseInput): Promise<Response> => {
      const request = { ...usual, input, tools: [STOCK] };
      if (!streamed) return responses().create(request);
      return responses().stream(request).finalResponse();
    };
    const input: ResponseInput = [{ role: "user", content: "What is the stock price of ABC?" }];
    const { output } = await talk(input);
    const call = output.find((item) => item.type === "function_call");
    expect(JSON.parse(call?.arguments ?? "")).toEqual({ symbol: "ABC" });
    const call_id = call?.call_id ?? "";
    input.push(...(output as ResponseInput), {
      ...{ type: "function_call_output", call_id, output: "866" },
    });
    expect((await talk(input)).output_text).toBe("The stock price of ABC is 866.");
  });

  test("is parsed by the client's own schema", async () => {
    const form = z.strictObject({ animal: z.string(), colour: z.enum(["green", "blue"]) });
    const request = {
      ...{ ...usual, input: "Extract the animal and colour as JSON: The mouse is pink." },
      text: { format: zodTextFormat(form, "found") },
    };
    const whole = await responses().parse(request);
    const streamed = await responses().stream(request).finalResponse();
    for (const { output_parsed: parsed } of [whole, streamed]) {
      expect(parsed?.animal).toBe("mouse");
      expect(["green", "blue"]).toContain(parsed?.colour as string);
    }
  });

  test("sees images", async () => {
    const one = caseOf("image_describe");
    const { output_text: content } = await responses().create({
      ...{ ...usual, input: inputOf(one) },
    });
    expect({ content } as object).toEqual(one.expected);
  });

  test("that is given up in its stream frees its slot", async () => {
    const stream = responses().stream({
      ...{ model: TINY, max_output_tokens: 1800, ignore_eos: true },
      input: "Tell me a story about a robot",
    });
    stream.on("response.output_text.delta", () => stream.abort());
    expect(await stream.done().catch((e: unknown) => e)).toBeInstanceOf(OpenAI.APIUserAbortError);
    const { nodeUrl } = ways.native;
    await eventually(async () => (await busySlots(nodeUrl, TINY)) === 0 || undefined);
  });
});

test("a response that its endpoint keeps is there after a restart", async () => {
  using endpoint = keepingEndpoint("e", "m");
  using home = temporaryHome();
  const args = ["--endpoint", `e=${endpoint.url}`];
  const start = () => Program.start({ mode: "balancer", args, home: home.path });
  const first = await start();
  const id = await eventually(async () => {
    // Which routes it has is found out after the first check.
    const made = await post(`${first.url}/v1/responses`, { model: "m", input: "hi" });
    return /resp_e_\w+/.exec(await made.text())?.[0];
  }).finally(() => first.stop());
  const second = await start();
  try {
    const { responses } = openai(second);
    expect((await responses.retrieve(id)).id).toBe(id);
    expect((await responses.inputItems.list(id)).data).toHaveLength(1);
    const next = await responses.create({ model: "m", input: "on", previous_response_id: id });
    expect(next.previous_response_id).toBe(id);
    await responses.delete(id);
    expect(await failureOf(responses.retrieve(id))).toContain("not found");
  } finally {
    await second.stop();
  }
});

/** A case's first message in the form of this API. */
function inputOf({ request }: Case): ResponseInput {
  const parts = request.messages[0]?.content as { text?: string; image_url?: { url: string } }[];
  const content = parts.map(({ text, image_url }) =>
    image_url === undefined
      ? { type: "input_text" as const, text: text ?? "" }
      : { type: "input_image" as const, image_url: image_url.url, detail: "auto" as const },
  );
  return [{ role: "user", content }];
}
