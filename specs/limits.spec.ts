import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { says, TINY } from "../src/testkit/clients.ts";
import { runProgram, temporaryHome } from "../src/testkit/command.ts";
import { eventually } from "../src/testkit/eventually.ts";
import { Program } from "../src/testkit/program.ts";

setDefaultTimeout(60_000);

const home = temporaryHome();
const START = { home: home.path, args: ["--access", "required"] };
let program: Program;
beforeAll(async () => {
  program = await Program.start(START);
});
afterAll(async () => {
  await program.stop();
  home[Symbol.dispose]();
});

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(args, { home: home.path });
  if (code !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}

const client = (apiKey: string, maxRetries = 0) =>
  new OpenAI({ baseURL: `${program.url}/v1`, apiKey, maxRetries });
const chat = (apiKey: string) =>
  client(apiKey).chat.completions.create({
    ...{ model: TINY, messages: says("Hello"), max_tokens: 8 },
  });

/** A stream of just so many tokens. */
function chatStream(apiKey: string, max_tokens: number) {
  const body = { model: TINY, messages: says("Hello"), max_tokens, ignore_eos: true };
  return client(apiKey).chat.completions.create({ ...body, stream: true });
}

async function refusal(promise: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof OpenAI.APIError) return error;
  throw new Error(`was not refused: ${error}`);
}

test("requests a minute: the headers count down, then 429 with Retry-After", async () => {
  const key = await run("key", "add", "two", "--requests-per-minute", "2");
  const first = await chat(key).withResponse();
  expect(first.response.headers.get("x-ratelimit-limit-requests")).toBe("2");
  expect(first.response.headers.get("x-ratelimit-remaining-requests")).toBe("1");
  expect(first.response.headers.get("x-ratelimit-reset-requests")).toMatch(/^[\d.]+s$/);
  await chat(key);
  const error = await refusal(chat(key));
  expect([error.status, error.code]).toEqual([429, "rate_limit_exceeded"]);
  expect(error.message).toContain("The limit of the key two is used up: 2 requests");
  expect(Number(error.headers?.get("retry-after"))).toBeGreaterThan(0);
  expect(error.headers?.get("x-ratelimit-remaining-requests")).toBe("0");
  const anthropic = new Anthropic({ baseURL: program.url, apiKey: key, maxRetries: 0 });
  const asked = anthropic.messages.create({ model: TINY, max_tokens: 8, messages: says("Hi") });
  const told = await asked.catch((cause: unknown) => String(cause));
  expect(told).toContain("rate_limit_error");
});

test("a client of OpenAI that may retry waits by itself, and gets its answer", async () => {
  const key = await run("key", "add", "sixty", "--requests-per-minute", "60");
  const ask = () =>
    client(key, 5).chat.completions.create({ model: TINY, messages: says("Hi"), max_tokens: 1 });
  const answers = await Promise.all(Array.from({ length: 62 }, ask));
  expect(answers).toHaveLength(62);
});

test("tokens a day: the answer that uses them up is not cut, a restart forgets none", async () => {
  const key = await run("key", "add", "budget", "--tokens-per-day", "20");
  const stream = await chatStream(key, 60);
  let pieces = 0;
  for await (const _ of stream) pieces += 1;
  expect(pieces).toBeGreaterThan(50);
  const first = await eventually(async () => {
    const error = await refusal(chat(key)).catch(() => undefined);
    return error;
  }, 5000);
  expect([first.status, first.code]).toEqual([429, "insufficient_quota"]);
  expect(first.message).toContain("20 tokens per day");
  expect(first.headers?.get("x-should-retry")).toBe("false");
  await Bun.sleep(1000);
  program.signal("SIGKILL");
  await program.exited;
  program = await Program.start(START);
  expect((await refusal(chat(key))).code).toBe("insufficient_quota");
  await run("key", "set", "budget", "--tokens-per-day", "none");
  await chat(key);
});

test("money: a model with a price uses up the budget of its key's owner", async () => {
  await run("user", "add", "eve", "--cost-per-month", "0.01");
  const key = await run("key", "add", "evesown", "--user", "eve");
  await chat(key);
  await run("model", "price", "llmlb-*", "--input", "1000", "--output", "1000");
  expect(await run("model", "price")).toContain("llmlb-*");
  await chat(key);
  const error = await eventually(() => refusal(chat(key)).catch(() => undefined), 5000);
  expect(error.message).toContain("the user eve");
  expect(error.message).toContain("cost of 0.01 per month");
  await run("model", "price", "llmlb-*", "--clear");
});

test("requests at once: one more is refused, and may come when one has ended", async () => {
  const key = await run("key", "add", "one", "--concurrent", "1");
  const stream = await chatStream(key, 4000);
  const error = await refusal(chat(key));
  expect(error.message).toContain("1 request at a time");
  stream.controller.abort();
  await eventually(
    () =>
      chat(key).then(
        () => true,
        () => undefined,
      ),
    10_000,
  );
});

test("wrong limits are refused", async () => {
  const wrong = await runProgram(["key", "add", "x", "--tokens-per-day", "-1"], {
    home: home.path,
  });
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("at least 0")]);
});
