import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { fakeBalancer } from "../../testkit/balancer.ts";
import { answerIn } from "../../testkit/brokenstream/answer.ts";
import { eventually } from "../../testkit/eventually.ts";
import { anthropicServer } from "../../testkit/servers/anthropic/server.ts";
import { talker } from "../../testkit/servers/talker.ts";

setDefaultTimeout(20_000);

const TOKENS = ["Once", " upon", " ", "\n", "a", " time", "."];
const TEXT = TOKENS.join("");
const messages = [{ role: "user", content: TEXT }];
const CHAT = { messages, stream_options: { include_usage: true } };
const PREFILLED = "claude-sonnet-4-5-20250929";

interface Case {
  /** The cloud's model of the operator's rule; undefined: there is no rule. */
  to?: string;
  path?: string;
  body?: object;
  /** Where the endpoint's stream ends. */
  atByte?: number;
  tokens?: string[];
}

/** What a client gets of a stream whose only endpoint is gone, and what the cloud was asked. */
async function told({ to, path = "/v1/chat/completions", body = CHAT, ...how }: Case) {
  const { atByte = 900, tokens = TOKENS } = how;
  const cuts = [{ atByte, how: "end" as const }];
  using endpoint = talker({ kind: "vllm", tokens, cuts });
  using cloud = anthropicServer();
  const fallbacks = to === undefined ? [] : [{ model: "m", to: `anthropic:${to}` }];
  const keys = { anthropicApiKey: cloud.key, anthropicBaseUrl: cloud.url };
  const settings = { ...keys, fallbacks, healthIntervalMs: 60_000, queueTimeoutMs: 200 };
  await using front = await fakeBalancer({ a: endpoint.url }, settings);
  await front.untilKnown("vllm");
  const answer = await front.post(path, { model: "m", stream: true, ...body });
  const text = await answer.text();
  const rows = await eventually(async () => {
    const { requests } = await (await fetch(`${front.url}/api/requests`)).json();
    return requests.length > 0 ? requests : undefined;
  });
  const asked = cloud.requests.filter((one) => one.path === "/v1/messages");
  return { text, asked: asked.map((one) => one.body), row: rows[0] };
}

interface Choice {
  delta?: { content?: string };
  finish_reason: string | null;
}

describe("a stream goes on at the cloud of the operator's rule", () => {
  test("where its model takes the beginning of an answer, and says so", async () => {
    const { text, asked, row } = await told({ to: PREFILLED });
    expect(asked).toHaveLength(1);
    const sent = asked[0]?.messages as { role: string; content: string }[];
    expect(sent.at(-1)).toEqual({ role: "assistant", content: "Once upon" });
    const { choices, heads, rest } = answerIn("chat", text) as {
      choices: Record<string, Choice[]>;
      heads: string[];
      rest: { usage?: Record<string, number> }[];
    };
    expect(choices[0]?.map((one) => one.delta?.content ?? "").join("")).toBe(TEXT);
    expect(choices[0]?.at(-1)?.finish_reason).toBe("stop");
    expect(heads).toHaveLength(1);
    expect(text.match(/^: continued by .*$/gm)).toEqual([`: continued by anthropic:${PREFILLED}`]);
    const usage = rest.map((one) => one.usage).find((one) => one !== undefined);
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
    expect(usage?.completion_tokens).toBeGreaterThan(2);
    expect(row).toMatchObject({ retries: 1, error: null });
  });

  test.each<[string, object]>([
    ["/v1/messages", { messages, max_tokens: 50 }],
    ["/v1/responses", { input: TEXT }],
    ["/api/chat", { messages }],
  ])("in every API: %s", async (path, body) => {
    const { text, asked } = await told({ to: PREFILLED, path, body });
    expect(asked).toHaveLength(1);
    expect(text).not.toMatch(/"error":["{]/);
    const words = text.match(/"(?:delta|text|content)":"(?:[^"\\]|\\.)*"/g) ?? [];
    const said = words.map((one) => JSON.parse(`{${one}}`) as Record<string, string>);
    const pieces = said.map((one) => Object.values(one)[0] ?? "");
    expect(pieces.join("")).toContain(TEXT);
    expect(text).toContain(path === "/api/chat" ? '"continued_by":' : ": continued by anthropic:");
  });

  test("as a whole, where nothing was said yet", async () => {
    const { text, asked } = await told({ to: "claude-opus-5", atByte: 230 });
    expect(asked[0]?.messages).toHaveLength(1);
    expect(text).toContain(": continued by anthropic:claude-opus-5");
    expect(text).not.toMatch(/"error":["{]/);
  });
});

describe("a stream ends with an error, and no cloud is asked", () => {
  test.each<[string, Case]>([
    ["without a rule", {}],
    ["where the cloud's model takes no beginning", { to: "claude-opus-5" }],
    ["where thoughts are asked for", { to: PREFILLED, body: { ...CHAT, reasoning_effort: "low" } }],
    ["where it is to be the same each time", { to: "claude-opus-5", body: { ...CHAT, seed: 1 } }],
    [
      "where it obeys a schema",
      { to: PREFILLED, body: { ...CHAT, response_format: { type: "json_object" } } },
    ],
  ])("%s", async (_, given) => {
    const { text, asked } = await told(given);
    expect(asked).toEqual([]);
    expect(text).toMatch(/"error":\{/);
    expect(text).not.toContain("continued by");
  });
});

test("a cloud that refuses the beginning after all leaves the error", async () => {
  // By its name, it is one of those that take it.
  const { text, asked } = await told({ to: "claude-x-4-1" });
  expect(asked).toHaveLength(1);
  expect(text).toMatch(/"error":\{/);
});
