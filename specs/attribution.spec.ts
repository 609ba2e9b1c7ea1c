import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { post, says } from "../src/testkit/clients.ts";
import { eventually, within } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";
import { fakeEndpoint } from "../src/testkit/servers/endpoint.ts";
import { type RudeChat, rudeEndpoint } from "../src/testkit/servers/rude.ts";
import { RAW_END, rawAnswer, rawChunk, rawChunks } from "../src/testkit/servers/tcp.ts";
import { chunksOf, completion } from "../src/testkit/servers/translating.ts";

setDefaultTimeout(30_000);

const WELL = "answered well";
const messages = says("x");
/** Every API that chats, with a request of it. */
const ROUTES: [string, object][] = [
  ["/v1/chat/completions", { messages }],
  ["/v1/messages", { messages, max_tokens: 50 }],
  ["/v1/responses", { input: "x" }],
  ["/api/chat", { messages }],
];

const HEAD = rawChunks("text/event-stream");
const errorOf = (status: number) => JSON.stringify({ error: { message: "no", code: status } });
const refused = (status: number) => rawAnswer(errorOf(status), "application/json", `${status} X`);
const withContent = (content: string) => JSON.stringify(completion({ content }));
const badCall = JSON.stringify(
  completion(
    {
      tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: '{"a": 1,}' } }],
    },
    "tool_calls",
  ),
);

/** What the rude ones do with chats of a model, which is named for it. */
const MANNERS: Record<string, (chat: RudeChat) => void> = {
  "says-error": ({ connection }) => connection.send(rawAnswer(errorOf(404))),
  "says-html": ({ connection }) => connection.send(rawAnswer("<html>Hello</html>", "text/html")),
  "says-nothing": ({ connection }) => connection.send(rawAnswer("")),
  "dies-behind-headers": ({ connection }) => {
    connection.send(HEAD);
    connection.end();
  },
  "stalls-behind-headers": ({ connection }) => connection.send(HEAD),
  "first-event-is-error": ({ connection }) =>
    connection.send(`${HEAD}${rawChunk(`data: ${errorOf(500)}\n\n`)}${RAW_END}`),
  poisoned: ({ text, connection }) =>
    connection.send(text.includes("POISON") ? refused(500) : rawAnswer(withContent(WELL))),
  innocent: ({ connection }) => connection.send(rawAnswer(withContent(WELL))),
  mortal: ({ connection }) => connection.reset(),
  "bad-call": ({ connection }) => connection.send(rawAnswer(badCall)),
  slow: ({ connection }) => void setTimeout(connection.send, 900, rawAnswer(withContent(WELL))),
  "slow-behind-headers": ({ connection }) => {
    connection.send(rawChunks("application/json"));
    setTimeout(connection.send, 900, rawChunk(withContent(WELL)) + RAW_END);
  },
};
const REFUSALS = [400, 401, 402, 403, 404, 408, 422, 429, 500, 502, 503, 504, 524, 529];
const act = (chat: RudeChat) => {
  const status = Number(/^refuses-(\d+)$/.exec(chat.model)?.[1]);
  if (status > 0) return chat.connection.send(refused(status));
  MANNERS[chat.model]?.(chat);
};

const MODELS = [...Object.keys(MANNERS), ...REFUSALS.map((status) => `refuses-${status}`)];
/** Models for which there is no healthy endpoint. */
const ALONE = ["poisoned", "innocent", "mortal", "bad-call", "slow", "slow-behind-headers"];
const rude = [1, 2, 3].map((i) => rudeEndpoint(i === 1 ? MODELS : ALONE, act));
const healthy = fakeEndpoint(
  MODELS.filter((model) => !ALONE.includes(model)),
  async (request) => {
    const { stream } = (await request.json()) as { stream?: boolean };
    if (stream !== true) return Response.json(completion({ content: WELL }));
    const data = chunksOf([{ content: WELL }]).map((one) => {
      return `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`;
    });
    return new Response(data.join(""), { headers: { "content-type": "text/event-stream" } });
  },
);

const LIMITS = ["--try-timeout", "300ms", "--idle-timeout", "300ms", "--health-interval", "60s"];
let program: Program;
beforeAll(async () => {
  const named = rude.flatMap(({ url }, i) => ["-e", `rude${i + 1}=${url}`]);
  const args = [...named, "-e", `healthy=${healthy.url}`, ...LIMITS];
  program = await Program.start({ mode: "balancer", args });
});
afterAll(async () => {
  await program?.stop();
  for (const server of [...rude, healthy]) server[Symbol.dispose]();
});
beforeEach(() => {
  for (const { chats } of rude) chats.length = 0;
});

/** How many chats of a model the rude ones got. */
const asked = (model: string) =>
  rude.flatMap(({ chats }) => chats.filter((chat) => chat.model === model)).length;

const send = (path: string, body: object) => post(program.url + path, body);

interface Shown {
  id: string;
  name: string;
  circuit: string;
  last_request_error: string | null;
}

async function shown(name: string): Promise<Shown> {
  const answer = await fetch(`${program.url}/api/endpoints`);
  const { endpoints } = (await answer.json()) as { endpoints: Shown[] };
  const found = endpoints.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no endpoint is called ${name}`);
  return found;
}

/** Some requests of every API, streamed and not; each has to be answered well. */
async function answersAll(model: string): Promise<void> {
  for (const stream of [false, true, false]) {
    for (const [path, body] of ROUTES) {
      const answer = await send(path, { model, stream, ...body });
      const text = await answer.text();
      expect([path, stream, answer.status, text]).toEqual([
        ...[path, stream, 200],
        expect.stringContaining(WELL),
      ]);
      expect(text).not.toMatch(/"error":[^n]/);
    }
  }
}

describe("an endpoint that lists a model but refuses its chats", () => {
  test.each(REFUSALS)("with %d costs no client an answer", async (status) => {
    const model = `refuses-${status}`;
    await answersAll(model);
    expect(asked(model)).toBeGreaterThan(0);
    // Full is no failure, and may be over with the next request.
    if (status !== 429) expect(asked(model)).toBeLessThan(6);
  });

  test("is shown with the reason, and a test finds it", async () => {
    await answersAll("refuses-401");
    const { id, circuit, last_request_error: reason } = await shown("rude1");
    expect(circuit).not.toBe("closed");
    const tested = await send(`/api/endpoints/${id}/test`, {});
    const result = (await tested.json()) as { success: boolean; error: string };
    expect(result.success).toBe(false);
    expect(result.error).toContain(String(reason));
    expect(reason).toMatch(/^HTTP \d+$/);
  });
});

test.each(["says-error", "says-html", "says-nothing"])(
  "an endpoint that answers 200 and %s is passed over and set aside",
  async (model) => {
    await answersAll(model);
    expect(asked(model)).toBeGreaterThan(0);
    expect(asked(model)).toBeLessThan(6);
  },
);

test.each(["dies-behind-headers", "stalls-behind-headers", "first-event-is-error"])(
  "a stream whose endpoint %s is made by another one",
  async (model) => {
    for (let i = 0; i < 2; i += 1) {
      for (const [path, body] of ROUTES) {
        const answer = await send(path, { model, stream: true, ...body });
        const text = await answer.text();
        expect(text).toContain(WELL);
        expect(text).not.toMatch(/"error":[^n]/);
      }
    }
    expect(asked(model)).toBeGreaterThan(0);
    expect(asked(model)).toBeLessThan(6);
  },
);

describe("a request that is at fault itself", () => {
  test("goes to two, and closes no endpoint to other requests and models", async () => {
    const wrong = [...ROUTES, ...ROUTES, ...ROUTES];
    for (const [path, body] of wrong) {
      const text = JSON.stringify({ model: "poisoned", stream: false, ...body });
      const poison = JSON.parse(text.replace('"x"', '"POISON"')) as object;
      expect((await send(path, poison)).status).toBeGreaterThanOrEqual(500);
    }
    expect(asked("poisoned")).toBe(2 * wrong.length);
    for (const model of ["poisoned", "innocent"]) {
      const answer = await send("/v1/chat/completions", { model, messages });
      expect(answer.headers.get("x-queue-status")).toBeNull();
      expect(await answer.text()).toContain(WELL);
    }
  });

  test.each(ROUTES)("kills at most one more server: %s", async (path, body) => {
    const answer = await send(path, { model: "mortal", stream: false, ...body });
    expect(answer.status).toBe(502);
    const killed = rude.filter(({ chats }) => chats.length > 0);
    expect(killed).toHaveLength(2);
  });
});

describe("a call whose arguments are no JSON", () => {
  test("is made once, however often the official client would ask again", async () => {
    const client = new Anthropic({ baseURL: program.url, apiKey: "none" });
    const asking = client.messages.create({ model: "bad-call", messages, max_tokens: 50 });
    const error = await asking.catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("could not be read");
    expect(asked("bad-call")).toBe(1);
  });

  test("is made once for Ollama's clients", async () => {
    const answer = await send("/api/chat", { model: "bad-call", messages, stream: false });
    expect(answer.status).toBe(422);
    expect(asked("bad-call")).toBe(1);
  });

  test("reaches clients that read it themselves as the model wrote it", async () => {
    const client = new OpenAI({ baseURL: `${program.url}/v1`, apiKey: "none" });
    const { choices } = await client.chat.completions.create({ model: "bad-call", messages });
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { function: { arguments: '{"a": 1,}' } },
    ]);
    const { output } = await client.responses.create({ model: "bad-call", input: "x" });
    expect(output).toMatchObject([{ type: "function_call", arguments: '{"a": 1,}' }]);
    expect(asked("bad-call")).toBe(2);
  });
});

test.each(["slow", "slow-behind-headers"])(
  "a whole answer that takes longer than one try may take is made once: %s",
  async (model) => {
    for (const [path, body] of ROUTES) {
      const answer = await send(path, { model, stream: false, ...body });
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining(WELL)]);
    }
    expect(asked(model)).toBe(ROUTES.length);
  },
);

test("endpoints of the API and of the command line wait equally long", async () => {
  using other = fakeEndpoint(["other"], () => Response.json({}));
  const added = await send("/api/endpoints", { name: "added", base_url: other.url });
  const made = (await added.json()) as { id: string; inference_timeout_secs: number };
  expect(added.status).toBe(201);
  expect(await shown("healthy")).toMatchObject({
    inference_timeout_secs: made.inference_timeout_secs,
  });
  await fetch(`${program.url}/api/endpoints/${made.id}`, { method: "DELETE" });
});

describe("an endpoint that drips without an end", () => {
  const drip = (piece: string) => (chat: RudeChat) => {
    chat.connection.send(rawChunks(chat.streams ? "text/event-stream" : "application/json"));
    const timer = setInterval(chat.connection.send, 50, rawChunk(piece));
    setTimeout(clearInterval, 10_000, timer);
  };
  test.each([
    ["signs of life", ": ping\n\n", true],
    ["a byte now and then", " ", true],
    ["a byte now and then, of a whole answer", " ", false],
  ])("%s holds no slot for ever", async (_, piece, stream) => {
    using dripping = rudeEndpoint(["m"], drip(piece));
    const args = ["-e", `drip=${dripping.url}`, "--first-byte-timeout", "1s"];
    const alone = await Program.start({ mode: "balancer", args });
    try {
      const answers = ROUTES.map(([path, body]) =>
        post(alone.url + path, { model: "m", stream, ...body }).then((answer) => answer.text()),
      );
      for (const text of await within(8000, Promise.all(answers)))
        expect(text).toContain("too long");
      const busy = async () => {
        const stats = await fetch(`${alone.url}/api/queue/stats`);
        return ((await stats.json()) as { processing_count: number }).processing_count;
      };
      await eventually(async () => (await busy()) === 0 || undefined, 1000);
    } finally {
      await alone.stop();
    }
  });
});
