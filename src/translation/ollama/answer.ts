import { z } from "zod";
import { ChatCompletion, ChatUsage } from "../../wire/chat.ts";
import { logprobsOf, thoughtOf } from "../chatevent.ts";
import { nonsense, readAnswer } from "../reading.ts";
import { Calls } from "./calls.ts";
import { doneReason, type Form, NOTHING } from "./form.ts";
import type { Measure } from "./measure.ts";

export interface OllamaAnswerOptions {
  /** As the client calls it. */
  model: string;
  form: Form;
  measure: Measure;
}

/** `/v1/completions`. */
const TextCompletion = z.looseObject({
  choices: z.array(z.looseObject({ text: z.string(), finish_reason: z.string().nullish() })),
  usage: ChatUsage.nullish(),
});

/** Ollama's whole answer, of a chat completion. Throws `upstream` if that makes no sense. */
export function answerOfChat(options: OllamaAnswerOptions, json: unknown): object {
  const { choices, usage } = readAnswer(ChatCompletion, json);
  const choice = choices[0];
  if (choice === undefined) throw nonsense("it has no choices");
  const { message, finish_reason } = choice;
  const calls = new Calls();
  for (const [index, call] of (message.tool_calls ?? []).entries()) calls.add({ ...call, index });
  options.measure.read(usage, json);
  const said = {
    content: message.content || message.refusal || "",
    thinking: thoughtOf(message),
    toolCalls: calls.take(),
    logprobs: logprobsOf(choice),
  };
  return whole(options, options.form(said), doneReason(finish_reason));
}

/** The same of a text completion. */
export function answerOfText(options: OllamaAnswerOptions, json: unknown): object {
  const { choices, usage } = readAnswer(TextCompletion, json);
  const choice = choices[0];
  if (choice === undefined) throw nonsense("it has no choices");
  options.measure.read(usage, json);
  const said = { ...NOTHING, content: choice.text };
  return whole(options, options.form(said), doneReason(choice.finish_reason));
}

/** What a client that only wanted a model to be loaded, or let go, is told. */
export function answerOfLoading(
  { model, form }: OllamaAnswerOptions,
  keepAlive: string | number | null | undefined,
): object {
  const isLeaving = keepAlive !== null && keepAlive !== undefined && /^0+\D*$/.test(`${keepAlive}`);
  const done_reason = isLeaving ? "unload" : "load";
  return { ...head(model), ...form(NOTHING), done: true, done_reason };
}

function whole({ model, measure }: OllamaAnswerOptions, said: object, done_reason: string): object {
  return { ...head(model), ...said, done: true, done_reason, ...measure.statistics() };
}

function head(model: string) {
  return { model, created_at: new Date().toISOString() };
}
