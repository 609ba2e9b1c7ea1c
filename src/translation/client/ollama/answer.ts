import { z } from "zod";
import { FinishReason, ToldUsage } from "../../../wire/chat.ts";
import { reasoningText, refuseFailed, tokenLogprobs } from "../../chat/chunk.ts";
import { parseChatCompletion } from "../../chat/completion.ts";
import { parseAnswer, unreadableAnswer } from "../../validation.ts";
import { type AnswerShape, EMPTY_PIECE, ollamaDoneReason } from "./answershape.ts";
import type { RequestStatistics } from "./statistics.ts";
import { ToolCallAssembler } from "./toolcalls.ts";

export interface OllamaAnswerOptions {
  /** As the client calls it. */
  model: string;
  form: AnswerShape;
  measure: RequestStatistics;
}

/** `/v1/completions`. */
const TextCompletion = z.looseObject({
  choices: z.array(z.looseObject({ text: z.string().nullish(), finish_reason: FinishReason })),
  usage: ToldUsage,
});

/** Ollama's whole answer, of a chat completion. Throws `upstream` if that makes no sense. */
export function ollamaAnswerFromChat(options: OllamaAnswerOptions, json: unknown): object {
  const { completion, choice } = parseChatCompletion(json);
  const { message, finish_reason } = choice;
  const calls = new ToolCallAssembler();
  for (const [index, call] of (message.tool_calls ?? []).entries()) calls.add({ ...call, index });
  options.measure.noteUsage(completion.usage, json);
  const said = {
    content: message.content || message.refusal || "",
    thinking: reasoningText(message),
    toolCalls: calls.take(finish_reason),
    logprobs: tokenLogprobs(choice),
  };
  return whole(options, options.form(said), ollamaDoneReason(finish_reason));
}

/** The same of a text completion. */
export function ollamaAnswerFromCompletion(options: OllamaAnswerOptions, json: unknown): object {
  const { choices, usage } = parseAnswer(TextCompletion, json);
  const choice = choices[0];
  if (choice === undefined) throw unreadableAnswer("it has no choices");
  refuseFailed(choice);
  options.measure.noteUsage(usage, json);
  const said = { ...EMPTY_PIECE, content: choice.text ?? "" };
  return whole(options, options.form(said), ollamaDoneReason(choice.finish_reason));
}

/** What a client that only wanted a model to be loaded, or let go, is told. */
export function ollamaLoadAnswer(
  { model, form }: OllamaAnswerOptions,
  keepAlive: string | number | null | undefined,
): object {
  const isLeaving = keepAlive !== null && keepAlive !== undefined && /^0+\D*$/.test(`${keepAlive}`);
  const done_reason = isLeaving ? "unload" : "load";
  return { ...head(model), ...form(EMPTY_PIECE), done: true, done_reason };
}

function whole({ model, measure }: OllamaAnswerOptions, said: object, done_reason: string): object {
  return { ...head(model), ...said, done: true, done_reason, ...measure.statistics() };
}

function head(model: string) {
  return { model, created_at: new Date().toISOString() };
}
