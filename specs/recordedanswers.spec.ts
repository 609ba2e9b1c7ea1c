import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type ApiReply, apiClients } from "../src/testkit/apiclients.ts";
import { Program } from "../src/testkit/program.ts";
import {
  type RecordedAnswer,
  type RecordedReply,
  recordedAnswers,
  recordedServer,
} from "../src/testkit/servers/rudeanswers/recorded.ts";

setDefaultTimeout(10_000);

const answers = recordedAnswers();
const server = recordedServer(answers);
let program: Program;
let clients: ReturnType<typeof apiClients>;
beforeAll(async () => {
  program = await Program.start({
    ...{ mode: "balancer", args: ["--endpoint", server.url] },
    env: {
      ...{ ANTHROPIC_API_KEY: "a", ANTHROPIC_API_BASE_URL: `${server.url}/anthropic` },
      ...{ GEMINI_API_KEY: "g", GOOGLE_API_BASE_URL: `${server.url}/google/v1beta` },
    },
  });
  clients = apiClients(program.url);
});
afterAll(async () => {
  await program?.stop();
  server[Symbol.dispose]();
});

const APIS = ["chat", "responses", "messages", "ollama"] as const;
type Api = (typeof APIS)[number];

const STOPS: Record<Exclude<Api, "chat">, Record<RecordedReply["end"], string>> = {
  responses: { stop: "completed", calls: "completed" },
  messages: { stop: "end_turn", calls: "tool_use" },
  ollama: { stop: "stop", calls: "stop" },
};

const isReply = (says: RecordedAnswer["says"]): says is RecordedReply => !("error" in says);
const replies = answers.filter(({ says }) => isReply(says));
const failures = answers.filter(({ says }) => !isReply(says));

test("there are answers of many servers, each with its source", () => {
  expect(answers.length).toBeGreaterThanOrEqual(20);
  for (const { source } of answers) expect(source).toMatch(/^https:/);
});

const modelOf = ({ api, name }: RecordedAnswer) => (api === "chat" ? name : `${api}:${name}`);
const question = (answer: RecordedAnswer, streams: boolean) => ({
  ...{ model: modelOf(answer), streams, tools: ["weather", "time"] },
});

describe.each(APIS)("the client of %s reads the answer of", (api) => {
  test.each(replies.map((answer) => [answer.name, answer] as const))("%s", async (_, answer) => {
    const { says } = answer;
    if (!isReply(says)) throw new Error("it tells of an error");
    // A cloud is not asked for one piece where none is recorded.
    const ways = answer.api === "chat" || answer.whole !== undefined ? [false, true] : [true];
    for (const streams of ways) {
      const reply = await clients[api].ask(question(answer, streams));
      if (api === "chat") expectChat(reply, says, { answer, streams });
      else {
        const { end, ...said } = says;
        expect({ streams, ...reply }).toEqual({ streams, ...said, stop: STOPS[api][end] });
      }
    }
  });

  test.each(failures.map((answer) => [answer.name, answer] as const))(
    "%s, which fails",
    async (_, answer) => {
      const { says } = answer;
      const asked = clients[api].ask(question(answer, true));
      const outcome = await asked.then(
        (reply) => reply.stop,
        (error: Error) => error.message,
      );
      expect(outcome).toContain("error" in says ? says.error : "an error");
    },
  );
});

/** Clients of chats get the shapes as they came: words, usage and whole calls are read anyhow. */
function expectChat(
  reply: ApiReply,
  { text, calls, usage }: RecordedReply,
  { answer, streams }: { answer: RecordedAnswer; streams: boolean },
): void {
  expect({ text: reply.text, usage: reply.usage }).toEqual({ text, usage });
  // Without numbers, or with the same for all, the client makes little of the pieces.
  const isOdd = ["gemini-openai", "vllm-old", "sglang"].includes(answer.name);
  if (!streams || !isOdd) expect(reply.calls).toEqual(calls);
}
