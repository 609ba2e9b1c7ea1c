import { expect, setDefaultTimeout, test } from "bun:test";
import { answerIn } from "../../testkit/brokenstream/answer.ts";
import { BrokenStreams, type TrialCut } from "../../testkit/brokenstream/trial.ts";
import { PROMPT, type Talk } from "../../testkit/servers/talk.ts";
import type { RouteName } from "../../wire/route.ts";

// On a busy machine, thousands of streams take their time.
setDefaultTimeout(120_000);

const streams = new BrokenStreams();

const TOKENS = ["Há", " ", "🦊", "\n", '"x'];
const THOUGHTS = ["Hm", ", ü"];
const messages = [{ role: "user", content: "Tell me a story" }];
const asksUsage = { stream_options: { include_usage: true } };
const BODIES = {
  chat: { messages, ...asksUsage },
  generate: { prompt: PROMPT, ...asksUsage },
  responses: { input: "Tell me a story" },
  anthropic_messages: { messages, max_tokens: 50 },
  ollama_chat: { messages },
  ollama_generate: { prompt: "Tell me a story" },
} satisfies Partial<Record<RouteName, object>>;
type Route = keyof typeof BODIES;

interface Case {
  talk: Partial<Talk> & Pick<Talk, "kind">;
  route: Route;
  more?: object;
  /** Default: the connection breaks. */
  how?: TrialCut["how"];
}

/** A stream is the same to its client, at whichever byte it is cut. */
async function expectSameAtEachByte({ talk, route, more = {}, how = "break" }: Case) {
  const trial = { talk: { tokens: TOKENS, ...talk }, route, body: { ...BODIES[route], ...more } };
  const whole = await streams.run({ ...trial, cuts: [] });
  const answer = answerIn(route, whole.text);
  expect(JSON.stringify(answer)).not.toContain('"error":{');
  for (let at = 1; at < whole.bytes; at += 1) {
    const { text } = await streams.run({ ...trial, cuts: [{ at, how }] });
    const got = answerIn(route, text);
    if (!Bun.deepEquals(got, answer)) expect({ at, got }).toEqual({ at, got: answer });
  }
}

const ANSWERS: Route[] = ["responses", "anthropic_messages", "ollama_chat", "ollama_generate"];

test.each(["vllm", "sglang", "ollama"] as const)("a chat of %s", (kind) =>
  expectSameAtEachByte({ talk: { kind }, route: "chat" }),
);

test.each(["break", "error"] as const)("a chat of llama-server, with thoughts: %s", (how) => {
  const talk = { kind: "llama_server", thoughts: THOUGHTS } as const;
  return expectSameAtEachByte({ talk, route: "chat", how });
});

test("a completion", () =>
  expectSameAtEachByte({ talk: { kind: "openai_compatible" }, route: "generate" }));

test("a call, which is said again", () => {
  const talk = { kind: "vllm", calls: "tell" } as const;
  const more = { temperature: 0, tools: [{}], stream_options: null };
  return expectSameAtEachByte({ talk, route: "chat", more });
});

test.each(ANSWERS)("what is translated: %s", (route) => {
  const talk = { kind: "llama_server", thoughts: THOUGHTS } as const;
  return expectSameAtEachByte({ talk, route });
});

test.each(ANSWERS)("what the endpoints speak themselves: %s", (route) => {
  const kind = route.startsWith("ollama") ? "ollama" : "llama_server";
  return expectSameAtEachByte({ talk: { kind, speaksAll: true, tokens: ["Há", " 🦊"] }, route });
});
