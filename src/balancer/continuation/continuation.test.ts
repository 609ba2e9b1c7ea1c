import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type FakeBalancer, fakeBalancer } from "../../testkit/balancer.ts";
import { eventually } from "../../testkit/eventually.ts";
import { PROMPT_TOKENS, type TalkerKind } from "../../testkit/servers/talk.ts";
import { type Cut, type Talker, type TalkerOptions, talker } from "../../testkit/servers/talker.ts";

// On a busy machine, hundreds of requests take their time.
setDefaultTimeout(60_000);

const TOKENS = ["Once", " upon", " a", " time", ', "a"', " fox", "."];
const messages = [{ role: "user", content: "Tell me a story" }];
const CHAT = { model: "m", messages, stream: true, stream_options: { include_usage: true } };

interface Pair extends AsyncDisposable {
  front: FakeBalancer;
  talkers: readonly [Talker, Talker];
  /** How the next streams end early. */
  cuts: Cut[];
}

/** A balancer in front of two of a kind, whose kinds are known. */
async function pair(kind: TalkerKind, more = {}, own: Partial<TalkerOptions> = {}): Promise<Pair> {
  const cuts: Cut[] = [];
  const options = { kind, tokens: TOKENS, cuts, ...own };
  const talkers = [talker(options), talker(options)] as const;
  const [a, b] = talkers;
  const front = await fakeBalancer(
    { a: a.url, b: b.url },
    {
      ...{ strategy: "round-robin", healthIntervalMs: 60_000 },
      ...more,
    },
  );
  await front.untilKnown(kind);
  return {
    front,
    talkers,
    cuts,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      for (const one of talkers) one[Symbol.dispose]();
    },
  };
}

interface Event {
  id: string;
  created: number;
  model: string;
  error?: object;
  choices: {
    index: number;
    delta?: {
      role?: string;
      content?: string;
      reasoning_content?: string;
      tool_calls?: { id?: string; function: { name?: string; arguments: string } }[];
    };
    text?: string;
    finish_reason: string | null;
  }[];
  usage?: object | null;
}

/** What a client reads of a stream. */
function readOf(text: string) {
  const frames = text.split("\n\n").map((frame) => frame.replace(/^(:.*\n)*/, "").trim());
  const data = frames.filter((frame) => frame.startsWith("data: ")).map((f) => f.slice(6));
  const events = data.filter((one) => one !== "[DONE]").map((one) => JSON.parse(one) as Event);
  const choices = events.flatMap((event) => event.choices ?? []);
  const calls = choices.flatMap(({ delta }) => delta?.tool_calls ?? []);
  return {
    text: choices.map(({ delta, text }) => delta?.content ?? text ?? "").join(""),
    thoughts: choices.map(({ delta }) => delta?.reasoning_content ?? "").join(""),
    calls: calls.map((call) => `${call.id ? "call " : ""}${call.function.name ?? ""}`).join(""),
    arguments: calls.map((call) => call.function.arguments).join(""),
    roles: choices.filter(({ delta }) => delta?.role !== undefined).length,
    finish: choices.map((one) => one.finish_reason).filter((one) => one !== null),
    heads: new Set(events.map(({ id, created, model }) => `${id} ${created} ${model}`)).size,
    usage: events.map(({ usage }) => usage).filter((one) => one != null),
    errors: events.filter(({ error }) => error !== undefined).length,
    isDone: data.at(-1) === "[DONE]",
  };
}

const usage = (completion: number) => ({
  ...{ prompt_tokens: PROMPT_TOKENS, completion_tokens: completion },
  total_tokens: PROMPT_TOKENS + completion,
});

const WHOLE = {
  ...{
    text: TOKENS.join(""),
    thoughts: "",
    calls: "",
    arguments: "",
    roles: 1,
    finish: ["stop"],
    heads: 1,
    errors: 0,
  },
  ...{ usage: [usage(TOKENS.length)], isDone: true },
};

async function asked(front: FakeBalancer, body: object, path = "/v1/chat/completions") {
  return readOf(await (await front.post(path, body)).text());
}

/** The same stream, cut at every so many bytes, is read as the whole one is. */
async function expectWholeAtAnyByte<T>(both: Pair, stride: number, ask: () => Promise<T>) {
  const { talkers, cuts } = both;
  const whole = await ask();
  const bytes = Math.max(...talkers.map(({ streamBytes }) => streamBytes));
  for (let atByte = 1; atByte < bytes; atByte += stride) {
    cuts.push({ atByte, how: "end" });
    expect({ atByte, read: await ask() }).toEqual({ atByte, read: whole });
    expect(cuts).toEqual([]);
  }
  return whole;
}

describe.each(["llama_server", "vllm", "sglang", "ollama"] as const)("a stream of %s", (kind) => {
  test("that is cut at any byte goes on as if nothing had happened", async () => {
    await using both = await pair(kind);
    const ask = () => asked(both.front, CHAT);
    expect(await expectWholeAtAnyByte(both, 31, ask)).toEqual(WHOLE);
    const continued = both.talkers.flatMap(({ requests }) => requests).filter(hasAnswer);
    expect(continued.length).toBeGreaterThan(15);
  });

  test.each(["reset", "error", "silence"] as const)("that breaks by %s goes on", async (how) => {
    await using both = await pair(kind, { idleTimeoutMs: 300 });
    for (const atByte of [250, 500, 751]) {
      both.cuts.push({ atByte, how });
      expect(await asked(both.front, CHAT)).toEqual(WHOLE);
    }
  });

  test("has as many tokens as were asked for, whoever makes them", async () => {
    await using both = await pair(kind);
    for (const max_tokens of [3, 4]) {
      const ask = () => asked(both.front, { ...CHAT, max_tokens });
      const text = TOKENS.slice(0, max_tokens).join("");
      const whole = { ...WHOLE, text, finish: ["length"], usage: [usage(max_tokens)] };
      expect(await expectWholeAtAnyByte(both, 97, ask)).toEqual(whole);
    }
  });
});

function hasAnswer({ messages }: Record<string, unknown>): boolean {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  return (last as { role?: string } | undefined)?.role === "assistant";
}

test("a stream that is cut while it thinks goes on thinking", async () => {
  const thoughts = ["Hm", ", a", " story", "?"];
  await using both = await pair("llama_server", {}, { thoughts });
  const all = thoughts.length + TOKENS.length;
  const whole = { ...WHOLE, thoughts: thoughts.join(""), usage: [usage(all)] };
  expect(await expectWholeAtAnyByte(both, 61, () => asked(both.front, CHAT))).toEqual(whole);
});

test("a completion goes on behind its prompt", async () => {
  await using both = await pair("openai_compatible");
  const body = { ...CHAT, messages: undefined, prompt: "Once" };
  const whole = { ...WHOLE, roles: 0, text: TOKENS.join("") };
  const ask = () => asked(both.front, body, "/v1/completions");
  expect(await expectWholeAtAnyByte(both, 61, ask)).toEqual(whole);
});

describe("a stream whose text does not tell how to go on is made again", () => {
  test("where it calls a tool", async () => {
    await using both = await pair("vllm", {}, { calls: "tell" });
    const called = { text: "", calls: "call tell", arguments: TOKENS.join("") };
    const whole = { ...WHOLE, ...called, finish: ["tool_calls"], usage: [] };
    // What such a call lacks of its usage is estimated.
    const ask = () => asked(both.front, { ...CHAT, stream_options: null, temperature: 0 });
    expect(await expectWholeAtAnyByte(both, 31, ask)).toEqual(whole);
  });

  test.each<[string, object]>([
    ["where it obeys a schema", { response_format: { type: "json_object" }, seed: 1 }],
    ["at servers of which nothing else is known", { temperature: 0 }],
  ])("%s", async (_, more) => {
    await using both = await pair("openai_compatible");
    const ask = () => asked(both.front, { ...CHAT, ...more });
    expect(await expectWholeAtAnyByte(both, 97, ask)).toEqual(WHOLE);
  });
});

test.each(["vllm", "ollama"] as const)(
  "space that a template of %s takes away is said once",
  async (kind) => {
    const tokens = ["Once", " ", "upon", " a", " \n", "time", "."];
    await using both = await pair(kind, {}, { tokens, trims: true });
    const whole = { ...WHOLE, text: tokens.join(""), usage: [usage(tokens.length)] };
    expect(await expectWholeAtAnyByte(both, 61, () => asked(both.front, CHAT))).toEqual(whole);
  },
);

test("a balancer in between asks nobody who would take the answer so far for a turn", async () => {
  const options = { tokens: TOKENS, cuts: [] };
  using able = talker({ ...options, kind: "vllm" });
  using other = talker({ ...options, kind: "openai_compatible" });
  await using front = await fakeBalancer({ a: able.url, b: other.url });
  await front.untilKnown("vllm", "openai_compatible");
  const answer = { role: "assistant", content: "Once" };
  const more = { continue_final_message: true, add_generation_prompt: false };
  const body = { ...CHAT, messages: [...messages, answer], ...more, llmlb_continues: true };
  for (let i = 0; i < 4; i += 1) {
    expect((await asked(front, body)).text).toBe(TOKENS.slice(1).join(""));
  }
  expect(other.requests).toEqual([]);
});

describe("an endpoint that is drained", () => {
  const drain = async ({ url, post }: FakeBalancer, name: string) => {
    const { endpoints } = (await (await fetch(`${url}/api/endpoints`)).json()) as {
      endpoints: { id: string; name: string }[];
    };
    const { id } = endpoints.find((one) => one.name === name) ?? { id: "" };
    expect((await post(`/api/endpoints/${id}/drain`, {})).status).toBe(200);
  };

  test("hands its streams over at once, and counts no failure", async () => {
    await using both = await pair("vllm");
    const { front, talkers, cuts } = both;
    cuts.push({ atByte: 900, how: "silence" });
    const answer = await front.post("/v1/chat/completions", CHAT);
    const name = talkers[0].requests.length > 0 ? "a" : "b";
    await eventually(async () => cuts.length === 0 || undefined);
    await drain(front, name);
    expect(readOf(await answer.text())).toEqual(WHOLE);
    const { endpoints } = (await (await fetch(`${front.url}/api/endpoints`)).json()) as {
      endpoints: { name: string; status: string; last_request_error: string | null }[];
    };
    const drained = endpoints.find((one) => one.name === name);
    const moved = { status: "online", last_request_error: null, moved_streams: 1 };
    expect(drained).toMatchObject(moved);
  });

  test("hands a stream over that breaks before another one has a slot for it", async () => {
    await using both = await pair("vllm", { defaultSlots: 1 });
    const { front, talkers, cuts } = both;
    cuts.push({ atByte: 900, how: "silence" }, { atByte: 900, how: "silence" });
    const answer = await front.post("/v1/chat/completions", CHAT);
    await eventually(async () => cuts.length === 1 || undefined);
    const [name, talker] = talkers[0].requests.length > 0 ? ["a", talkers[0]] : ["b", talkers[1]];
    const other = await front.post("/v1/chat/completions", CHAT);
    await eventually(async () => cuts.length === 0 || undefined);
    await drain(front, name);
    talker[Symbol.dispose]();
    // To be moved, and to go on.
    await eventually(async () => {
      const stats = await (await fetch(`${front.url}/api/queue/stats`)).json();
      return stats.waiting_count === 2 || undefined;
    });
    await other.body?.cancel();
    expect(readOf(await answer.text())).toEqual(WHOLE);
  });

  test("keeps those that nobody else can go on with", async () => {
    await using both = await pair("openai_compatible", { idleTimeoutMs: 700 });
    const { front, talkers, cuts } = both;
    cuts.push({ atByte: 900, how: "silence" });
    const answer = await front.post("/v1/chat/completions", CHAT);
    await drain(front, talkers[0].requests.length > 0 ? "a" : "b");
    const read = readOf(await answer.text());
    expect(read).toMatchObject({ errors: 1, finish: [] });
    expect(talkers.flatMap(({ requests }) => requests)).toHaveLength(1);
  });
});

test("what went on is counted, and the history has both attempts and one answer", async () => {
  await using both = await pair("vllm");
  both.cuts.push({ atByte: 700, how: "end" });
  expect(await asked(both.front, CHAT)).toEqual(WHOLE);
  const metrics = await (await fetch(`${both.front.url}/metrics`)).text();
  expect(metrics).toContain('llmlb_stream_continuations_total{outcome="continued"} 1');
  expect(metrics).toMatch(/llmlb_stream_continuation_tokens_total [1-6]\n/);
  expect(metrics).toContain("llmlb_stream_continuation_seconds_count 1");
  const row = await eventually(async () => {
    const { requests } = await (await fetch(`${both.front.url}/api/requests`)).json();
    return requests[0] as Record<string, unknown> | undefined;
  });
  expect(row).toMatchObject({ input_tokens: PROMPT_TOKENS, output_tokens: TOKENS.length });
  expect(row).toMatchObject({ retries: 1, error: null });
  const detail = await (await fetch(`${both.front.url}/api/requests/${row.request_id}`)).json();
  const given = detail.attempts.map(({ tokens }: { tokens: number }) => tokens);
  expect(given[0]).toBeWithin(1, TOKENS.length);
  expect(given[0] + given[1]).toBe(TOKENS.length);
});

describe("a stream that goes on nowhere ends with an error", () => {
  const REFUSED: [string, TalkerKind, object, Record<string, string>][] = [
    ["because nobody knows how its kind continues", "openai_compatible", {}, {}],
    ["because it must obey a schema", "vllm", { response_format: { type: "json_object" } }, {}],
    ["because it has several choices", "vllm", { n: 2 }, {}],
    ["because its client wants none of it", "vllm", {}, { "x-llmlb-continue": "off" }],
    ["because its client named the endpoint", "vllm", {}, { "x-llmlb-endpoint": "a" }],
  ];
  test.each(REFUSED)("%s", async (_, kind, more, headers) => {
    await using both = await pair(kind);
    both.cuts.push({ atByte: 700, how: "end" });
    const answer = await both.front.post("/v1/chat/completions", { ...CHAT, ...more }, headers);
    const read = readOf(await answer.text());
    expect(read).toMatchObject({ errors: 1, finish: [], isDone: false });
    expect(TOKENS.join("")).toStartWith(read.text);
  });

  test("because a setting turns it off", async () => {
    await using both = await pair("vllm", { continueStreams: false });
    both.cuts.push({ atByte: 700, how: "end" });
    expect(await asked(both.front, CHAT)).toMatchObject({ errors: 1, finish: [], isDone: false });
    expect(both.talkers.flatMap(({ requests }) => requests)).toHaveLength(1);
  });

  test("because two more break before a word of it, which counts as one failure", async () => {
    await using both = await pair("vllm");
    const early = { atByte: 20, how: "end" } as const;
    both.cuts.push({ atByte: 700, how: "end" }, early, early);
    const read = await asked(both.front, CHAT);
    expect(read).toMatchObject({ errors: 1, finish: [], isDone: false });
    expect(both.cuts).toEqual([]);
    const metrics = await (await fetch(`${both.front.url}/metrics`)).text();
    expect(metrics).toContain('llmlb_stream_continuations_total{outcome="failed"} 1');
  });
});

const ROUTES: [string, object][] = [
  ["/v1/messages", { messages, max_tokens: 50 }],
  ["/v1/responses", { input: "Tell me a story" }],
  ["/api/chat", { messages }],
  ["/api/generate", { prompt: "Tell me a story" }],
];

describe("a stream of another API goes on", () => {
  const askOf = (front: FakeBalancer, path: string, body: object) => async () => {
    const answer = await front.post(path, { model: "m", stream: true, ...body });
    return { events: eventsOf(await answer.text()) };
  };

  test.each(ROUTES)("where it is translated: %s", async (path, body) => {
    await using both = await pair("vllm");
    const { events } = await expectWholeAtAnyByte(both, 151, askOf(both.front, path, body));
    expect(JSON.stringify(events)).not.toContain('"error":{');
  });

  test.each(ROUTES)("where the endpoints speak it: %s", async (path, body) => {
    const kind = path.startsWith("/api/") ? "ollama" : "llama_server";
    const thoughts = kind === "ollama" ? [] : ["Hm", ", a"];
    await using both = await pair(kind, {}, { thoughts, speaksAll: true });
    const { events } = await expectWholeAtAnyByte(both, 151, askOf(both.front, path, body));
    expect(JSON.stringify(events)).not.toContain('"error":{');
    const paths = both.talkers.flatMap((one) => one.paths);
    expect(paths).toContain(path);
    expect(paths).toContain("/v1/chat/completions");
  });
});

/** The events of a stream of any API, without what differs from one stream to the next. */
function eventsOf(text: string): unknown[] {
  const lines = text.split("\n").filter((line) => /^(data: )?\{/.test(line.trim()));
  const events = lines.map((line) => JSON.parse(line.replace(/^ *(data: )?/, "")));
  const [ids, plain] = [new Map<string, string>(), JSON.stringify(events)];
  const named = plain.replace(/"(?:id|item_id)":"([^"]*)"/g, (_, id: string) => {
    if (!ids.has(id)) ids.set(id, `id ${ids.size}`);
    return `"id":"${ids.get(id)}"`;
  });
  const timeless = named
    .replace(/"(?:created_at|completed_at)":("[^"]*"|\d+)/g, '"at":0')
    .replace(/"\w*_duration":\d+/g, '"duration":0');
  return JSON.parse(timeless).filter(({ type }: { type?: string }) => type !== "ping");
}
