import type { ToolCall } from "../../../wire/chat.ts";
import { parseChatCompletion } from "../../chat/completion.ts";
import { reasoningText } from "../../chat/reasoning.ts";
import { parseToolArguments } from "../../chat/toolarguments.ts";
import { unreadableArguments } from "../../errors.ts";
import { messageId, newId } from "../../ids.ts";
import type { AnthropicAnswerOptions } from "./answeroptions.ts";
import { anthropicStopReason } from "./stopreason.ts";
import { anthropicUsageFromChat } from "./usage.ts";

/**
 * Anthropic's message for a chat completion: its reasoning, its text, its tool calls. A call that
 * the token limit cut short is left out. Throws `upstream` for an answer without a choice, and
 * `tool_call_failed` for a call whose arguments are not a JSON object.
 */
export function anthropicMessageFromChat(json: unknown, options: AnthropicAnswerOptions): object {
  const { model, stopSequences } = options;
  const { completion, choice } = parseChatCompletion(json);
  const { message, finish_reason: reason } = choice;
  const thinking = reasoningText(message);
  const text = `${message.content ?? ""}${message.refusal ?? ""}`;
  const calls = (message.tool_calls ?? []).flatMap((call) => toolUse(call, reason === "length"));
  return {
    id: messageId(completion.id),
    type: "message",
    role: "assistant",
    model,
    content: [
      ...(thinking === "" ? [] : [{ type: "thinking", thinking, signature: "" }]),
      ...(text === "" ? [] : [{ type: "text", text }]),
      ...calls,
    ],
    ...anthropicStopReason({ choice, hasCalls: calls.length > 0, stopSequences }),
    usage: anthropicUsageFromChat(completion.usage),
  };
}

function toolUse({ id, function: { name, arguments: text } }: ToolCall, isCutShort: boolean) {
  const input = parseToolArguments(text);
  if (input !== undefined) {
    return [{ type: "tool_use", id: id === "" ? newId("toolu_") : id, name, input }];
  }
  if (isCutShort) return [];
  throw unreadableArguments(name);
}
