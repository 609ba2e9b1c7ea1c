import { z } from "zod";
import { AnswerUsage, FinishReason } from "../../../wire/chat.ts";
import { refuseFailedChoice } from "../../chat/chunk.ts";
import { parseChatCompletion } from "../../chat/completion.ts";
import { tokenLogprobs } from "../../chat/logprobs.ts";
import { reasoningText } from "../../chat/reasoning.ts";
import { unreadableAnswer } from "../../errors.ts";
import { parseAnswer } from "../../validation.ts";
import type { OllamaAnswerOptions } from "./answeroptions.ts";
import { EMPTY_PIECE, type OllamaAnswerPiece } from "./answershape.ts";
import { ollamaDoneReason } from "./stopreason.ts";
import { ToolCallAssembler } from "./toolcalls.ts";

/** An answer of `/v1/completions`. */
const TextCompletion = z.looseObject({
  choices: z.array(z.looseObject({ text: z.string().nullish(), finish_reason: FinishReason })),
  usage: AnswerUsage,
});

/** Ollama's whole answer for a chat completion. Throws `upstream` if that cannot be read. */
export function ollamaAnswerFromChat(options: OllamaAnswerOptions, json: unknown): object {
  const { completion, choice } = parseChatCompletion(json);
  const { message, finish_reason } = choice;
  const calls = new ToolCallAssembler();
  for (const [index, call] of (message.tool_calls ?? []).entries()) calls.add({ ...call, index });
  options.statistics.noteUsage(completion.usage, json);
  const piece = {
    content: message.content || message.refusal || "",
    thinking: reasoningText(message),
    toolCalls: calls.take(finish_reason),
    logprobs: tokenLogprobs(choice),
  };
  return wholeAnswer(options, piece, finish_reason);
}

/** Ollama's whole answer for a text completion. Throws `upstream` if that cannot be read. */
export function ollamaAnswerFromCompletion(options: OllamaAnswerOptions, json: unknown): object {
  const { choices, usage } = parseAnswer(TextCompletion, json);
  const choice = choices[0];
  if (choice === undefined) throw unreadableAnswer("it has no choices");
  refuseFailedChoice(choice);
  options.statistics.noteUsage(usage, json);
  const piece = { ...EMPTY_PIECE, content: choice.text ?? "" };
  return wholeAnswer(options, piece, choice.finish_reason);
}

/** The fields with which every answer of Ollama's begins. */
export function answerHead(model: string) {
  return { model, created_at: new Date().toISOString() };
}

function wholeAnswer(
  { model, shape, statistics }: OllamaAnswerOptions,
  piece: OllamaAnswerPiece,
  finishReason: string | null | undefined,
): object {
  const done_reason = ollamaDoneReason(finishReason);
  const head = { ...answerHead(model), ...shape(piece) };
  return { ...head, done: true, done_reason, ...statistics.summary() };
}
