import type { ToolCall } from "../../../wire/chat.ts";
import { parseToolArguments, reasoningText } from "../../chat/chunk.ts";
import { parseChatCompletion } from "../../chat/completion.ts";
import { messageId, newId } from "../../ids.ts";
import { unreadableArguments } from "../../validation.ts";
import { anthropicStopReason, anthropicUsageFromChat } from "./stopreason.ts";

/** What an answer needs to know of its request. */
export interface AnthropicAnswerOptions {
  /** The model, as the client calls it. */
  model: string;
  stopSequences: readonly string[];
}

/**
 * The message for a chat completion: its thoughts, its text, its calls. A call that was cut short
 * by the token limit is left out. Throws `upstream` for answers without a choice, and
 * `tool_call_failed` for calls whose arguments are no JSON object.
 */
export function anthropicMessageFromChat(json: unknown, asked: AnthropicAnswerOptions): object {
  const { completion, choice } = parseChatCompletion(json);
  const { message, finish_reason: reason } = choice;
  const thinking = reasoningText(message);
  const text = `${message.content ?? ""}${message.refusal ?? ""}`;
  const calls = (message.tool_calls ?? []).flatMap((call) => toolUse(call, reason === "length"));
  return {
    id: messageId(completion.id),
    type: "message",
    role: "assistant",
    model: asked.model,
    content: [
      ...(thinking === "" ? [] : [{ type: "thinking", thinking, signature: "" }]),
      ...(text === "" ? [] : [{ type: "text", text }]),
      ...calls,
    ],
    ...anthropicStopReason({
      choice,
      hasCalls: calls.length > 0,
      stopSequences: asked.stopSequences,
    }),
    usage: anthropicUsageFromChat(completion.usage),
  };
}

function toolUse({ id, function: { name, arguments: text } }: ToolCall, cut: boolean) {
  const input = parseToolArguments(text);
  if (input !== undefined) {
    return [{ type: "tool_use", id: id === "" ? newId("toolu_") : id, name, input }];
  }
  if (cut) return [];
  throw unreadableArguments(name);
}
