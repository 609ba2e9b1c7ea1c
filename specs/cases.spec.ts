import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Case, readCases } from "../src/testkit/cases.ts";
import { post, TINY } from "../src/testkit/clients.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(90_000);

const CONCURRENCY = 4;

const cases = readCases();
const answers = new Map<Case, unknown>();

beforeAll(async () => {
  const program = await Program.start();
  try {
    const waiting = [...cases];
    const work = async () => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        answers.set(one, await ask(program, one));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  } finally {
    await program.stop();
  }
});

test("there are 239 cases of 27 tasks", () => {
  expect(cases).toHaveLength(239);
  expect(new Set(cases.map(({ task }) => task)).size).toBe(27);
});

describe("the built-in model, through balancer and node, four requests at a time", () => {
  test.each([...new Set(cases.map(({ task }) => task))])("answers exactly: %s", (task) => {
    const wrong = cases
      .filter((one) => one.task === task && !Bun.deepEquals(answers.get(one), one.expected, true))
      .map((one) => ({
        asked: JSON.stringify(one.request.messages.at(-1)).slice(0, 200),
        expected: one.expected,
        answered: answers.get(one),
      }));
    expect(wrong).toEqual([]);
  });
});

interface Answer {
  choices: {
    message: {
      content: string | null;
      tool_calls?: { function: { name: string; arguments: string } }[];
    };
  }[];
}

/** The answer in the form of a case's expectation. */
async function ask({ url }: Program, { request }: Case): Promise<unknown> {
  const response = await post(`${url}/v1/chat/completions`, { model: TINY, ...request });
  if (!response.ok) return { status: response.status, error: await response.text() };
  const { choices } = (await response.json()) as Answer;
  const message = choices[0]?.message;
  const calls = message?.tool_calls ?? [];
  if (calls.length === 0) return { content: message?.content };
  return {
    tool_calls: calls.map(({ function: called }) => ({
      name: called.name,
      arguments: JSON.parse(called.arguments),
    })),
  };
}
