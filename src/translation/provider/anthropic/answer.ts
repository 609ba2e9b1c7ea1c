import { type AnswerBlock, MessagesAnswer } from "../../../wire/anthropic.ts";
import type { ChatAnswerOptions } from "../../chat/answeroptions.ts";
import { unreadableAnswer } from "../../errors.ts";
import { completionId } from "../../ids.ts";
import { unixTimeS } from "../../unixtime.ts";
import { parseAnswer } from "../../validation.ts";
import { signedThinkingBlock } from "./signedthinking.ts";
import { finishReasonFromAnthropic } from "./stopreason.ts";
import { chatUsageFromAnthropic } from "./usage.ts";

/**
 * The chat completion for a message of Anthropic's. Thinking becomes `reasoning_content`; signed
 * thinking is also written into `thinking_blocks`, for clients that hand it back. Blocks of other
 * types are left out. Throws `upstream` if the message cannot be read.
 */
export function chatCompletionFromAnthropic(json: unknown, { model }: ChatAnswerOptions): object {
  const message = parseAnswer(MessagesAnswer, json);
  const { content: blocks, stop_reason: reason, stop_sequence: sequence } = message;
  const text = joinedText(blocks, "text", ({ text }) => text);
  const reasoning = joinedText(blocks, "thinking", ({ thinking }) => thinking);
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
          ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
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

function joinedText(
  blocks: readonly AnswerBlock[],
  type: string,
  textOf: (block: AnswerBlock) => string | undefined,
): string {
  return blocks.map((block) => (block.type === type ? (textOf(block) ?? "") : "")).join("");
}

function toolCall({ id, name, input }: AnswerBlock): object {
  if (id === undefined || name === undefined) {
    throw unreadableAnswer("a `tool_use` has no id or name");
  }
  return { id, type: "function", function: { name, arguments: JSON.stringify(input ?? {}) } };
}
