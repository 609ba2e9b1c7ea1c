import { type AnswerBlock, MessagesAnswer } from "../../../wire/anthropic.ts";
import { completionId, unixTimeS } from "../../ids.ts";
import { parseAnswer, unreadableAnswer } from "../../validation.ts";
import { chatUsageFromAnthropic, finishReasonFromAnthropic } from "./stopreason.ts";

/** What an answer needs to know of its request. */
export interface ChatAnswerOptions {
  /** The model, as the client calls it. */
  model: string;
  /** Whether a stream tells token counts at its end. */
  includesUsage: boolean;
}

/**
 * The chat completion for a message. Thoughts become `reasoning_content`; with their signatures
 * they also stand in `thinking_blocks`, for clients that hand them back. Blocks of other types are
 * passed over. Throws `upstream` for what is no message.
 */
export function chatCompletionFromAnthropic(json: unknown, { model }: ChatAnswerOptions): object {
  const message = parseAnswer(MessagesAnswer, json);
  const { content: blocks, stop_reason: reason, stop_sequence: sequence } = message;
  const text = joined(blocks, "text", ({ text }) => text);
  const thoughts = joined(blocks, "thinking", ({ thinking }) => thinking);
  const calls = blocks.filter(({ type }) => type === "tool_use").map(toolCall);
  const signed = blocks.map(signedThinkingBlock).filter((block) => block !== undefined);
  return {
    id: completionId(message.id),
    object: "chat.completion",
    created: unixTimeS(),
    model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: text === "" && calls.length > 0 ? null : text,
          refusal: null,
          ...(thoughts === "" ? {} : { reasoning_content: thoughts }),
          ...(signed.length === 0 ? {} : { thinking_blocks: signed }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
        logprobs: null,
        ...finishReasonFromAnthropic(reason, sequence),
      },
    ],
    usage: chatUsageFromAnthropic(message.usage ?? {}),
  };
}

function joined(
  blocks: readonly AnswerBlock[],
  type: string,
  textOf: (block: AnswerBlock) => string | undefined,
): string {
  return blocks.map((block) => (block.type === type ? (textOf(block) ?? "") : "")).join("");
}

function toolCall({ id, name, input }: AnswerBlock): object {
  if (id === undefined || name === undefined)
    throw unreadableAnswer("a `tool_use` has no id or name");
  const called = { name, arguments: JSON.stringify(input ?? {}) };
  return { id, type: "function", function: called };
}

/** Thoughts that Anthropic would take back: signed ones, and those that only it can read. */
export function signedThinkingBlock({
  type,
  thinking,
  signature,
  data,
}: AnswerBlock): object | undefined {
  if (type === "redacted_thinking" && data) return { type, data };
  if (type !== "thinking" || !signature) return undefined;
  return { type, thinking: thinking ?? "", signature };
}
