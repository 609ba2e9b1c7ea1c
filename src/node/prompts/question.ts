import { z } from "zod";
import type { Engine } from "../../engine/engine.ts";
import { get } from "../../http/client/get.ts";
import { parseJson } from "../../lib/json.ts";

/** Answers to questions about prompts (native/core/promptfiles.h). */
const Listed = z.object({
  prompts: z.array(z.object({ key: z.string(), tokens: z.int(), bytes: z.int() })),
  /** 0 while it has computed none. */
  prompt_us_per_token: z.number(),
});
const Saved = z.object({
  tokens: z.int(),
  bytes: z.int(),
  /** Files whose prompts are the beginning of this one. */
  replaces: z.array(z.string()),
});
const Offered = z.object({ offered: z.int(), damaged: z.array(z.string()) });

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

export interface QuestionLimits {
  timeoutMs: number;
  signal: AbortSignal;
}

/** The prompts that an engine has computed, in its slots and in its memory for prompts. */
export function listPrompts(engine: Engine, limits: QuestionLimits) {
  return ask(engine, { do: "list" }, { schema: Listed, ...limits });
}

/** Makes an engine write a prompt into a file, which exists. */
export function savePrompt(
  engine: Engine,
  what: { key: string; file: string },
  limits: QuestionLimits,
) {
  return ask(engine, { do: "save", ...what }, { schema: Saved, ...limits });
}

/** Tells an engine which files it may read, and how many tokens of each a request must need. */
export function offerPrompts(
  engine: Engine,
  files: { file: string; tokens_min: number }[],
  limits: QuestionLimits,
) {
  return ask(engine, { do: "offer", files }, { schema: Offered, ...limits });
}

/** Throws if the engine does not answer, or answers with an error. */
async function ask<T>(
  engine: Engine,
  question: object,
  { schema, timeoutMs, signal }: { schema: z.ZodType<T> } & QuestionLimits,
): Promise<T> {
  const { url, unix, headers = {} } = engine.target("/prompts");
  const { body } = await get({
    ...{ url, unix, timeoutMs, signal },
    headers: { ...headers, "content-type": "application/json" },
    body: new TextEncoder().encode(JSON.stringify(question)),
    limitBytes: ANSWER_BYTES_MAX,
  });
  const text = new TextDecoder().decode(body);
  const answer = schema.safeParse(parseJson(text));
  if (answer.success) return answer.data;
  throw new Error(`The engine does not answer a question about prompts: ${text.slice(0, 500)}`);
}
