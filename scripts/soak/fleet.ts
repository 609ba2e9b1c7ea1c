import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Engine } from "../../src/engine/engine.ts";
import { EngineHome, launchTest, sendToEngine, tinyChat } from "../../src/testkit/engine.ts";
import { parametersOf, writeRandomModel } from "../bench/rig/model.ts";

/** A prompt, and what a model says to it when it takes the likeliest token each time. */
export interface KnownAnswer {
  prompt: string;
  text: string;
}

export interface SoakModel {
  name: string;
  file: string;
  answers: KnownAnswer[];
}

export interface FleetOptions {
  folder: string;
  models: number;
  /** Size of each file, e.g. `40MB`. */
  size: string;
}

/** llama-server's arguments: known answers are those of engines that have the same ones. */
export const SOAK_ARGS = [
  ...["--ctx-size", "2048", "--parallel", "8", "--threads", "1", "--cache-ram", "0"],
];
/** Length of an answer. */
export const ANSWER_TOKENS = 6;
const ANSWERS_MAX = 4;
/**
 * In a batch with others a model computes in another order and rounds otherwise. Answers count as
 * known if each token was this much likelier than the next one (as logarithms).
 */
const MARGIN_MIN = 0.1;
const TRIES_MAX = 60;
const PROMPTS = [
  ...["Hello", "Tell me a story", "What is the time?", "One two three", "Who are you?"],
  ...["Write a poem", "Where is Rome?", "Count to ten", "Is it raining?", "Name a colour"],
];

const Answer = z.object({
  choices: z.tuple([
    z.object({
      message: z.object({ content: z.string() }),
      logprobs: z.object({
        content: z.array(z.object({ top_logprobs: z.array(z.object({ logprob: z.number() })) })),
      }),
    }),
  ]),
});

/** The request for a known answer. */
export function knownChat(prompt: string, more: object = {}): object {
  return tinyChat(prompt, { max_tokens: ANSWER_TOKENS, ignore_eos: true, ...more });
}

/** An answer as it is compared: streams leave out a character of which only some bytes came. */
export function comparable(text: string): string {
  return text.replace(/\ufffd+$/, "");
}

/**
 * Writes models of random weights, each with others, and asks each for its answers in an engine of
 * its own, one after the other. Models that are sure of nothing are left out.
 */
export async function makeFleet(options: FleetOptions): Promise<SoakModel[]> {
  const { folder, models, size } = options;
  mkdirSync(folder, { recursive: true });
  using home = new EngineHome();
  const fleet: SoakModel[] = [];
  for (let seed = 1; fleet.length < models; seed += 1) {
    if (seed > 4 * models) throw new Error(`of ${size} few models are sure of an answer`);
    const name = `m${fleet.length + 1}`;
    const file = join(folder, `${name}.gguf`);
    writeRandomModel({ path: file, parameters: parametersOf(size, "q8_0"), type: "q8_0", seed });
    const engine = await launchTest(home, { modelPath: file, args: SOAK_ARGS });
    try {
      const answers = await answersOf(engine);
      if (answers.length > 0) fleet.push({ name, file, answers });
    } finally {
      await engine.stop(5000);
    }
  }
  return fleet;
}

async function answersOf(engine: Engine): Promise<KnownAnswer[]> {
  const answers: KnownAnswer[] = [];
  for (let number = 0; number < TRIES_MAX && answers.length < ANSWERS_MAX; number += 1) {
    const prompt = `${PROMPTS[number % PROMPTS.length]} ${number}`;
    const body = knownChat(prompt, { logprobs: true, top_logprobs: 2, cache_prompt: false });
    const response = await sendToEngine(engine, "/v1/chat/completions", body);
    const [{ message, logprobs }] = Answer.parse(await response.json()).choices;
    const isSure = logprobs.content.every(({ top_logprobs: [first, second] }) => {
      return first && second && first.logprob - second.logprob >= MARGIN_MIN;
    });
    const text = comparable(message.content);
    if (isSure && text.length > 1 && !text.includes("\ufffd")) answers.push({ prompt, text });
  }
  return answers;
}
