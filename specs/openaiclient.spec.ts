import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { LengthFinishReasonError } from "openai/core/error";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { z } from "zod";
import { type Case, caseOf } from "../src/testkit/cases.ts";
import { busySlots, openai, says, TINY } from "../src/testkit/clients.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import {
  openaiError,
  type ScriptedEndpoint,
  scriptedEndpoint,
} from "../src/testkit/servers/scripted.ts";

setDefaultTimeout(20_000);

const BROKEN = "broken-model";

let other: ScriptedEndpoint;
let program: Program;
let client: OpenAI;
beforeAll(async () => {
  other = scriptedEndpoint("org/scripted");
  const file = fileURLToPath(new URL("../fixtures/images/shape.png", import.meta.url));
  const endpoint = ["--endpoint", `other=${other.url}`, "--default-slots", "1"];
  const args = [...endpoint, "--queue-max", "2", "--model", `${BROKEN}=${file}`];
  program = await Program.start({ args });
  client = openai(program);
});
afterAll(async () => {
  await program?.stop();
  other?.[Symbol.dispose]();
});
beforeEach(() => {
  other.asked.length = 0;
  other.next.length = 0;
});

const idle = async () => (await busySlots(program.nodeUrl, TINY)) === 0 || undefined;

/** A case's request, in the client's own type. */
function messagesOf({ request }: Case): ChatCompletionMessageParam[] {
  return request.messages as unknown as ChatCompletionMessageParam[];
}

describe("tools", () => {
  const stock = (asked: unknown[]) =>
    zodFunction({
      name: "get_stock_price",
      description: "Get a stock price",
      parameters: z.object({ symbol: z.string() }),
      function: (input) => {
        asked.push(input);
        return "866";
      },
    });
  const request = {
    model: TINY,
    temperature: 0,
    messages: says("What is the stock price of ABC?"),
  };

  test.each([false, true])(
    "are run by the client over its turns (streamed: %p)",
    async (stream) => {
      const asked: unknown[] = [];
      const tools = [stock(asked)];
      const runner = stream
        ? client.chat.completions.runTools({ ...request, tools, stream: true })
        : client.chat.completions.runTools({ ...request, tools });
      expect(await runner.finalContent()).toBe("The stock price of ABC is 866.");
      expect(asked).toEqual([{ symbol: "ABC" }]);
      const roles = runner.messages.map(({ role }) => role);
      expect(roles).toEqual(["user", "assistant", "tool", "assistant"]);
    },
  );

  test("are used again after they have answered", async () => {
    const asked: unknown[] = [];
    const tools = [stock(asked)];
    const first = client.chat.completions.runTools({ ...request, tools });
    await first.done();
    const messages = [...first.messages, ...says("What is the stock price of FOO?")];
    const second = client.chat.completions.runTools({ ...request, messages, tools });
    await second.done();
    expect(asked).toEqual([{ symbol: "ABC" }, { symbol: "FOO" }]);
  });
});

describe("structured output", () => {
  const form = z.strictObject({ animal: z.string(), colour: z.enum(["green", "blue"]) });
  const request = {
    ...{ model: TINY, temperature: 0 },
    messages: says("Extract the animal and colour as JSON: The mouse is pink."),
    response_format: zodResponseFormat(form, "found"),
  };

  test("is parsed by the client's own schema, streamed or not", async () => {
    const whole = await client.chat.completions.parse(request);
    const streamed = await client.chat.completions.stream(request).finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      const parsed = choices[0]?.message.parsed;
      expect(parsed?.animal).toBe("mouse");
      expect(["green", "blue"]).toContain(parsed?.colour as string);
    }
  });

  test("that is cut by its limit is an error of the client's", async () => {
    const failure = client.chat.completions.parse({ ...request, max_tokens: 3 });
    expect(await errorOf(failure)).toBeInstanceOf(LengthFinishReasonError);
  });
});

test("images of earlier turns are seen, in a stream", async () => {
  const one = caseOf("image_followup");
  const request = { model: TINY, temperature: 0, messages: messagesOf(one) };
  const content = await client.chat.completions.stream(request).finalContent();
  expect({ content } as object).toEqual(one.expected);
});

test("embeddings are made of one text as of several", async () => {
  const embeddings = async (input: string | string[]) =>
    (await client.embeddings.create({ model: TINY, input })).data;
  const [one] = await embeddings("Give me two birds.");
  expect(one?.embedding).toHaveLength(256);
  expect((await embeddings(["Give me two birds.", "No."])).map(({ index }) => index)).toEqual([
    0, 1,
  ]);
});

test("a completion is made of a list of one prompt as of the prompt", async () => {
  const [one, listed] = await Promise.all(
    ["Hello", ["Hello"]].map((prompt) =>
      client.completions.create({ model: TINY, prompt, max_tokens: 4, temperature: 0 }),
    ),
  );
  expect(listed?.choices).toEqual(one?.choices ?? []);
  expect(one?.choices[0]?.text).not.toBe("");
});

describe("a request that is given up", () => {
  const endless = {
    ...{ model: TINY, max_tokens: 1800, ignore_eos: true },
    messages: says("Tell me a story about a robot"),
  };

  test("in mid-stream frees its slot", async () => {
    const stream = client.chat.completions.stream(endless);
    stream.on("content", () => stream.abort());
    expect(await errorOf(stream.done())).toBeInstanceOf(OpenAI.APIUserAbortError);
    await eventually(idle);
  });

  test("before its answer frees its slot", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const failure = errorOf(client.chat.completions.create(endless, { signal }));
    await eventually(async () => (await busySlots(program.nodeUrl, TINY)) > 0 || undefined);
    controller.abort();
    expect(await failure).toBeInstanceOf(OpenAI.APIUserAbortError);
    await eventually(idle);
  });
});

describe("the client asks again by itself", () => {
  /** A client that may ask several times, what it was answered, and how long it was to wait. */
  const patient = (onStatus: (status: number) => void = () => undefined) => {
    const statuses: number[] = [];
    const waits: (string | null)[] = [];
    const hasty: typeof fetch = Object.assign(async (...asked: Parameters<typeof fetch>) => {
      const response = await fetch(...asked);
      const { status, headers } = response;
      statuses.push(status);
      waits.push(headers.get("retry-after"));
      onStatus(status);
      if (status !== 429) return response;
      // Whoever waits for a test need not wait as long as it says.
      const hurried = new Headers(headers);
      hurried.set("retry-after", "0.05");
      return new Response(response.body, { status, headers: hurried });
    }, fetch);
    const options = { baseURL: `${program.url}/v1`, apiKey: "none", maxRetries: 20 };
    return { statuses, waits, client: new OpenAI({ ...options, fetch: hasty }) };
  };
  const ask = (from: OpenAI, model = other.model) =>
    from.chat.completions.create({ model, messages: says("Hello") });

  test.each([429, 503])("after a %d of the endpoint, as its Retry-After says", async (status) => {
    const { statuses, waits, client } = patient();
    const headers = { "retry-after": "0.01" };
    other.next.push(openaiError(status, headers), openaiError(status, headers));
    const answer = await ask(client);
    expect(answer.choices[0]?.message.content).toBe("well");
    expect(statuses).toEqual([status, status, 200]);
    expect(waits).toEqual(["0.01", "0.01", null]);
  });

  test("while the queue is full", async () => {
    const held = Promise.withResolvers<void>();
    const { waits, client } = patient((status) => status === 429 && held.resolve());
    other.next.push(async () => {
      await held.promise;
      return openaiError(400)();
    });
    const asked = Array.from({ length: 5 }, () => ask(client));
    const answers = await Promise.allSettled(asked);
    expect(waits).toContain("5");
    // The one that was held: an error of the client's is not asked again.
    expect(answers.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(4);
  });

  test("not where that is of no use", async () => {
    const { statuses, client } = patient();
    const error = await errorOf(ask(client, BROKEN));
    expect([error.status, error.code]).toEqual([503, "not_gguf"]);
    expect(error.headers?.get("x-should-retry")).toBe("false");
    expect(await errorOf(ask(client, "nothing"))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(statuses).toEqual([503, 404]);
  });
});

test("models with slashes in their names are looked up", async () => {
  const model = await client.models.retrieve(other.model);
  expect(model).toMatchObject({ id: other.model, object: "model" });
  const ids = (await Array.fromAsync(client.models.list())).map(({ id }) => id);
  expect(ids.toSorted()).toEqual([BROKEN, TINY, other.model].toSorted());
});

/** The error of the client's that `work` ends with. */
async function errorOf(work: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof Error) return thrown as InstanceType<typeof OpenAI.APIError>;
  throw new Error(`it did not fail: ${thrown}`);
}
