import { type AnswerBlock, MessagesAnswer } from "../../wire/anthropic.ts";
import { completionId, nowS } from "../ids.ts";
import { nonsense, readAnswer } from "../reading.ts";
import type { Asked } from "./chat.ts";
import { chatUsage, finishOf } from "./ending.ts";

/**
 * The chat completion for a message. Thoughts become `reasoning_content`; with their signatures
 * they also stand in `thinking_blocks`, for clients that hand them back. Blocks of other types are
 * passed over. Throws `upstream` for what is no message.
 */
export function completionOf(json: unknown, { model }: Asked): object {
  const message = readAnswer(MessagesAnswer, json);
  const { content: blocks, stop_reason: reason, stop_sequence: sequence } = message;
  const text = joined(blocks, "text", ({ text }) => text);
  const thoughts = joined(blocks, "thinking", ({ thinking }) => thinking);
  const calls = blocks.filter(({ type }) => type === "tool_use").map(toolCall);
  const signed = blocks.map(thoughtOf).filter((block) => block !== undefined);
  return {
    id: completionId(message.id),
    object: "chat.completion",
    created: nowS(),
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
        ...finishOf(reason, sequence),
      },
    ],
    usage: chatUsage(message.usage ?? {}),
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
  if (id === undefined || name === undefined) throw nonsense("a `tool_use` has no id or name");
  const called = { name, arguments: JSON.stringify(input ?? {}) };
  return { id, type: "function", function: called };
}

/** Thoughts that Anthropic would take back: signed ones, and those that only it can read. */
export function thoughtOf({ type, thinking, signature, data }: AnswerBlock): object | undefined {
  if (type === "redacted_thinking" && data) return { type, data };
  if (type !== "thinking" || !signature) return undefined;
  return { type, thinking: thinking ?? "", signature };
}
