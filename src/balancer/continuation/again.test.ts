import { describe, expect, test } from "bun:test";
import { answerIn } from "../../testkit/brokenstream/answer.ts";
import { BrokenStreams, type Trial } from "../../testkit/brokenstream/trial.ts";
import { PROMPT, type Talk } from "../../testkit/servers/talk.ts";

const streams = new BrokenStreams();
const TOKENS = ["Once", " upon", " a", " time", "."];
const messages = [{ role: "user", content: "Tell me a story" }];
const usage = { stream_options: { include_usage: true } };
const CUTS = [{ at: 0.5, how: "break" as const }];
const talk: Talk = { kind: "llama_server", tokens: TOKENS };
const SCHEMA = { response_format: { type: "json_schema", json_schema: {} } };

/** Requests whose answer so far does not tell how it goes on. */
const CASES: [string, Partial<Trial> & { body: object }][] = [
  ["a call", { talk: { ...talk, calls: "tell" }, body: { messages, tools: [{}] } }],
  ["a JSON schema", { body: { messages, ...SCHEMA } }],
  ["a grammar", { body: { messages, grammar: "root ::= x" } }],
  ["a call that must be", { body: { messages, tools: [{}], tool_choice: "required" } }],
  ["several choices", { talk: { ...talk, others: [["Two", "."]] }, body: { messages, n: 2 } }],
  ["a prompt that is repeated", { route: "generate", body: { prompt: PROMPT, echo: true } }],
  ["a text that is filled in", { route: "generate", body: { prompt: PROMPT, suffix: "." } }],
  ["thoughts at vLLM", { talk: { ...talk, kind: "vllm", thoughts: TOKENS }, body: { messages } }],
];

const trialOf = (given: Partial<Trial> & { body: object }, more: object): Trial => ({
  ...{ talk, route: "chat", cuts: CUTS, ...given },
  body: { ...given.body, ...usage, ...more },
});

describe("is made again, with the same seed: ", () => {
  test.each(CASES)("%s", async (_, given) => {
    const trial = trialOf(given, { seed: 5 });
    const whole = await streams.run({ ...trial, cuts: [] });
    const { text, requests } = await streams.run(trial);
    expect(answerIn(trial.route, text)).toEqual(answerIn(trial.route, whole.text));
    expect(requests).toHaveLength(2);
    expect(requests[1]).toEqual({ ...requests[0] });
    expect(requests[1]).toMatchObject({ seed: 5 });
  });
});

test.each(CASES)("nobody is asked again without a seed: %s", async (_, given) => {
  const { text, requests } = await streams.run(trialOf(given, {}));
  expect(requests).toHaveLength(1);
  expect(text).toContain('"error":{');
});

test("who says something else the second time is not listened to", async () => {
  const others = { ...talk, tokens: ["Once", " more", "."] };
  const trial = trialOf({ others, body: { messages, ...SCHEMA } }, { temperature: 0 });
  const { text, requests } = await streams.run({ ...trial, cuts: [{ at: 0.6, how: "break" }] });
  expect(requests).toHaveLength(2);
  expect(text).toContain('"code":"stream_broken"');
  expect(text).not.toContain("more");
});

test("a stream that is too long to be kept ends where it breaks", async () => {
  const long = { ...talk, tokens: Array.from({ length: 20 }, () => "a".repeat(64 * 1024)) };
  const trial = { talk: long, route: "chat" as const, body: { messages } };
  const { text, requests } = await streams.run({ ...trial, cuts: [{ at: 0.99, how: "break" }] });
  expect(requests).toHaveLength(1);
  expect(text).toContain('"error":{');
});
