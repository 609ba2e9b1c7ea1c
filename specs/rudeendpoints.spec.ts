import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ApiReply, apiClients } from "../src/testkit/apiclients.ts";
import { openai, post, says } from "../src/testkit/clients.ts";
import { temporaryHome } from "../src/testkit/command.ts";
import { Program } from "../src/testkit/program.ts";
import {
  CALLS,
  type RudeBody,
  type Scenario,
  TEXT,
} from "../src/testkit/servers/rudeanswers/answer.ts";
import { sending } from "../src/testkit/servers/rudeanswers/endings.ts";
import { RUDE_MODES, type RudeMode } from "../src/testkit/servers/rudeanswers/modes.ts";
import { answerOf, type RudeHost, rudeServer } from "../src/testkit/servers/rudeanswers/server.ts";
import { THOUGHT } from "../src/testkit/servers/rudeanswers/shapes.ts";

setDefaultTimeout(10_000);
// It would tell of functions that it will not have some day.
globalThis.AI_SDK_LOG_WARNINGS = false;

const APIS = ["chat", "responses", "messages", "ollama", "ai"] as const;
type Api = (typeof APIS)[number];

const answering = RUDE_MODES.filter(({ kind }) => kind !== "break" && kind !== "failed_choice");
const failing = RUDE_MODES.filter(({ kind }) => kind === "break" || kind === "failed_choice");

const endpoints: RudeHost[] = [
  ...answering.map((mode) => ({ name: nameOf(mode), mode })),
  ...answering.map((mode) => ({ name: `${nameOf(mode)}-crossed`, mode, crosses: true })),
  // One for each client and way, since an endpoint that fails is left alone for a while.
  ...failing.flatMap((mode) =>
    [...APIS, "raw"].flatMap((api) =>
      ["whole", "stream"].map((way) => ({ name: `${nameOf(mode)}-${api}-${way}`, mode })),
    ),
  ),
];

/** Of endpoints that are rude in something else than their answers. */
const polite: RudeMode = {
  ...{ name: "nothing", scenarios: ["text", "tools"], kind: "sending", change: () => undefined },
  respond: sending(),
};
const HTML = { "content-type": "text/html" };

function nameOf(mode: RudeMode): string {
  return `rude${RUDE_MODES.indexOf(mode)}`;
}

/** An endpoint that lists its model `x` in a way of its own. */
const lists: RudeHost[] = Object.entries({
  "bare list": (id) => [{ id }],
  "bare names": (id) => [id],
  "names in data": (id) => ({ data: [id] }),
  "entries without a type": (id) => ({ data: [{ id, created: "yesterday", owned_by: null }] }),
  "models of Ollama's": (name) => ({ models: [{ name }] }),
  "entries that are null": (id) => ({ object: "list", data: [null, { id: null }, { id }] }),
} satisfies Record<string, (id: string) => object>).map(([way, list]) => {
  const name = way.replaceAll(/\W/g, "-");
  return { name, mode: polite, list: () => new Response(JSON.stringify(list(name))) };
});
/** Their models are given by hand. */
const unlisted: RudeHost[] = [
  { name: "no-list", mode: polite, list: () => new Response("Not Found", { status: 404 }) },
  { name: "null-list", mode: polite, list: () => Response.json({ data: null }) },
  { name: "page-for-list", mode: polite, list: () => new Response("<html>", { headers: HTML }) },
];

/** Words of 1.5 MB in one line. */
const LONG = "lorem ipsum ".repeat(125_000);
const long: RudeHost = {
  name: "long",
  mode: {
    ...polite,
    change: ({ chunks, whole }) => {
      Object.assign(chunks[1]?.choices?.[0]?.delta ?? {}, { content: LONG });
      Object.assign(whole.choices?.[0]?.message ?? {}, { content: LONG });
    },
  },
};

/** It says that it is at work until `prompt` settles. */
const prompt = Promise.withResolvers<void>();
const slow: RudeHost = {
  name: "slow",
  mode: {
    ...polite,
    respond: (answer, streams) => {
      const stream = new ReadableStream<Uint8Array>({
        async start(controller) {
          controller.enqueue(Buffer.from(": PROCESSING\n\n"));
          await prompt.promise;
          const text = await polite.respond(answer, streams).text();
          controller.enqueue(Buffer.from(text));
          controller.close();
        },
      });
      return new Response(stream, { headers: { "content-type": "text/event-stream" } });
    },
  },
};

const rude = rudeServer([...endpoints, ...lists, ...unlisted, long, slow]);
const home = temporaryHome();
let program: Program;
let clients: ReturnType<typeof apiClients>;
beforeAll(async () => {
  const configured = [
    ...[...endpoints, ...lists, long, slow].map(({ name }) => ({ name, url: rude.urlOf(name) })),
    ...unlisted.map(({ name }) => ({ name, url: rude.urlOf(name), models: [name] })),
  ];
  writeFileSync(join(home.path, "config.json"), JSON.stringify({ endpoints: configured }));
  program = await Program.start({ mode: "balancer", home: home.path });
  clients = apiClients(program.url);
});
afterAll(async () => {
  await program?.stop();
  rude[Symbol.dispose]();
  home[Symbol.dispose]();
});

const tools = CALLS.map(({ name }) => name);

const STOPS: Record<Api, Record<Scenario, string>> = {
  chat: { text: "stop", tools: "tool_calls" },
  responses: { text: "completed", tools: "completed" },
  messages: { text: "end_turn", tools: "tool_use" },
  ollama: { text: "stop", tools: "stop" },
  ai: { text: "stop", tools: "tool-calls" },
};

/** What a client is told, however rude the endpoint is. */
function replyOf(api: Api, { has }: RudeMode, scenario: Scenario): ApiReply {
  const calls = CALLS.map(({ name, arguments: text }) => ({ name, arguments: JSON.parse(text) }));
  return {
    text: scenario === "text" || has === "words" ? TEXT : "",
    thoughts: has === "thoughts" ? THOUGHT : "",
    calls: scenario === "text" ? [] : calls,
    stop: STOPS[api][scenario],
    usage: [7, 5],
  };
}

/** Chats are told these as the endpoint tells them, which the clients of chats make little of. */
const ONLY_TRANSLATED = new Set([
  ...["a finish reason of its own", "an end with `stop` behind calls"],
  ...["`[DONE]` without a finish reason before", "content in parts behind thoughts"],
  ...["arguments as an object", "pieces of calls without an index"],
  ...["pieces of calls with null for an index", "pieces of calls without index and id"],
  ...["pieces of calls that all have the same index", "whole calls in one chunk, without an index"],
  ...["whole calls in a chunk each, without index and id"],
]);
/** The client `ai` refuses them by itself. */
const REFUSED_BY_AI = new Set(["a time and numbers as text", "an error of nothing everywhere"]);

const isTranslated = (api: Api) => api !== "chat" && api !== "ai";

describe.each(APIS)("a rude endpoint that answers: the client of %s", (api) => {
  const modes = answering.filter(({ name }) => {
    if (api === "ai" && REFUSED_BY_AI.has(name)) return false;
    return isTranslated(api) || !ONLY_TRANSLATED.has(name);
  });

  test.each(modes)("$kind: $name", async (mode) => {
    for (const scenario of mode.scenarios) {
      const offered = scenario === "tools" ? { tools } : {};
      for (const streams of [false, true]) {
        for (const suffix of ["", "-crossed"]) {
          const model = nameOf(mode) + suffix;
          const reply = await clients[api].ask({ model, streams, ...offered });
          const way = { scenario, streams, suffix };
          expect({ ...way, ...reply }).toEqual({ ...way, ...replyOf(api, mode, scenario) });
        }
      }
    }
  });
});

describe.each(APIS)("a rude endpoint that fails: the client of %s", (api) => {
  const modes = failing.filter(({ kind, name }) => {
    // A whole chat without a choice passes as it is.
    return isTranslated(api) || (kind !== "failed_choice" && name !== "no choices");
  });

  test.each(modes)("$kind: $name", async (mode) => {
    for (const way of ["whole", "stream"]) {
      const model = `${nameOf(mode)}-${api}-${way}`;
      const error = await failureOf(clients[api].ask({ model, streams: way === "stream" }));
      expect(error).toBeInstanceOf(clients[api].failure);
      expect(error).not.toBeInstanceOf(SyntaxError);
      expect(error).not.toBeInstanceOf(TypeError);
      // It is told of the failure itself, not that the endpoint is left alone because of it.
      expect(error.message).not.toMatch(/no endpoint|available/i);
    }
  });
});

describe("chats get what an endpoint says as it says it", () => {
  const passed = [
    ...answering.filter(({ kind, name }) => kind === "shape" || ONLY_TRANSLATED.has(name)),
    ...failing.filter(({ kind }) => kind === "failed_choice"),
  ];

  test.each(passed)("$kind: $name", async (mode) => {
    const client = openai(program);
    const fails = mode.kind === "failed_choice";
    const model = (way: string) => (fails ? `${nameOf(mode)}-raw-${way}` : nameOf(mode));
    for (const scenario of mode.scenarios) {
      const offered = scenario === "tools" ? { tools: tools.map(toolOf) } : {};
      const request = { messages: says("Hello"), ...offered };
      const { chunks, whole } = await toldBy(mode, scenario);
      const answer = await client.chat.completions.create({ ...request, model: model("whole") });
      if (whole !== undefined) expect(answer).toMatchObject(whole);
      const stream = await client.chat.completions.create({
        ...{ ...request, model: model("stream"), stream: true },
      });
      const told = (await Array.fromAsync(stream)) as unknown as RudeBody[];
      expect(told.map(choicesOf).filter(isSome)).toEqual(chunks.map(choicesOf).filter(isSome));
    }
  });
});

describe("integers beyond 2^53", () => {
  const [asObject, asText] = [
    "arguments as an object",
    "whole calls in one chunk, without an index",
  ].map((name) => answering.find((mode) => mode.name === name));
  const schema = '{"type":"object","properties":{"id":{"maximum":18446744073709551615}}}';
  const tool = `{"type":"function","function":{"name":"lookup","parameters":${schema}}}`;
  const chat = `"messages":[{"role":"user","content":"x"}],"tools":[${tool}]`;
  const own = `{"type":"function","name":"lookup","parameters":${schema}}`;
  const messages = `"messages":[{"role":"user","content":"x"}],"max_tokens":9`;

  test.each([
    ["/v1/chat/completions", chat],
    ["/v1/responses", `"input":"x","tools":[${own}]`],
    ["/v1/messages", `${messages},"tools":[{"name":"lookup","input_schema":${schema}}]`],
    ["/api/chat", chat],
  ])("keep their digits in arguments and schemas: %s", async (path, fields) => {
    for (const mode of [asObject, asText]) {
      if (mode === undefined) throw new Error("there is no such mode");
      for (const stream of [false, true]) {
        for (const suffix of ["", "-crossed"]) {
          const model = nameOf(mode) + suffix;
          const body = `{"model":"${model}","stream":${stream},${fields}}`;
          const headers = { "content-type": "application/json" };
          const answer = await fetch(program.url + path, { method: "POST", headers, body });
          const text = await answer.text();
          expect(text).toContain("9007199254740993");
          expect(text).not.toContain("9007199254740992");
          expect(rude.askedOf(model)).toContain('"maximum":18446744073709551615');
        }
      }
    }
  });
});

test.each(APIS)("lines of 1.5 MB are read: the client of %s", async (api) => {
  for (const streams of [false, true]) {
    const { text, usage } = await clients[api].ask({ model: long.name, streams });
    expect([text.includes(LONG), usage]).toEqual([true, [7, 5]]);
  }
});

test.each([
  ["/v1/messages", { messages: says("x"), max_tokens: 5 }, "event: ping"],
  ["/v1/responses", { input: "x" }, ": keep-alive"],
  ["/api/chat", { messages: says("x") }, " "],
  ["/v1/chat/completions", { messages: says("x") }, ": PROCESSING"],
])("signs of life come while the prompt is read: %s", async (path, body, ping) => {
  const answer = await post(program.url + path, { model: slow.name, stream: true, ...body });
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const first = Buffer.from((await reader.read()).value ?? []).toString();
  expect(first.startsWith(ping)).toBe(true);
  await reader.cancel();
});

test.each(APIS)("and the answer follows them: the client of %s", async (api) => {
  const asked = clients[api].ask({ model: slow.name, streams: true });
  prompt.resolve();
  expect(await asked).toEqual(replyOf(api, polite, "text"));
});

test("a redirect's address is not told to clients", async () => {
  const mode = failing.find(({ name }) => name === "a redirect") as RudeMode;
  for (const way of ["whole", "stream"]) {
    const body = { model: `${nameOf(mode)}-raw-${way}`, messages: says("x") };
    const answer = await post(`${program.url}/v1/chat/completions`, body, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([502, null]);
    expect(await answer.text()).not.toContain("elsewhere");
  }
});

test.each([...lists, ...unlisted].map(({ name }) => name))(
  "models are known by: %s",
  async (name) => {
    const { data } = await openai(program).models.list();
    expect(data.map(({ id }) => id)).toContain(name);
    expect((await clients.chat.ask({ model: name, streams: false })).text).toBe(TEXT);
  },
);

test("none that answered in full is held to have failed", async () => {
  const ready = await (await fetch(`${program.url}/ready`)).json();
  const { endpoints: states } = ready as { endpoints: { name: string; status: string }[] };
  const names = new Set(answering.flatMap((mode) => [nameOf(mode), `${nameOf(mode)}-crossed`]));
  const own = states.filter(({ name }) => names.has(name));
  expect(own).toHaveLength(names.size);
  expect(own.filter(({ status }) => status !== "online")).toEqual([]);
});

/** What an endpoint of a mode says: the events of its stream, and its whole answer. */
async function toldBy(mode: RudeMode, scenario: Scenario) {
  const text = (streams: boolean) => mode.respond(answerOf(mode, scenario), streams).text();
  const data = (await text(true)).split("\n").flatMap((line) => line.split(/^data: /)[1] ?? []);
  const chunks = data.filter((one) => one !== "[DONE]").map((one) => JSON.parse(one) as RudeBody);
  // Where the whole answer is a stream, too, a polite one is the same.
  const whole = await text(false);
  return { chunks, whole: whole.startsWith("{") ? (JSON.parse(whole) as RudeBody) : undefined };
}

function choicesOf({ choices }: RudeBody): unknown {
  return choices;
}

function isSome(choices: unknown): boolean {
  return Array.isArray(choices) && choices.length > 0;
}

function toolOf(name: string) {
  return { type: "function" as const, function: { name, parameters: { type: "object" } } };
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const thrown: unknown = await work.then(
    (reply) => `it did not fail: ${JSON.stringify(reply)}`,
    (error: unknown) => error,
  );
  if (thrown instanceof Error) return thrown;
  throw new Error(String(thrown));
}
