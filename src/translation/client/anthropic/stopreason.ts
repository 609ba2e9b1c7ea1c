import type { MessagesUsage } from "../../../wire/anthropic.ts";
import type { ChatUsage } from "../../../wire/chat.ts";

/** Why an answer ended, in the words of messages. */
export interface AnthropicStop {
  stop_reason: string;
  /** The sequence that ended it, if that was the reason and the server tells. */
  stop_sequence: string | null;
}

/** What a chat completion tells of its end. */
export interface ChatEnd {
  /** The choice: of servers that tell which sequence ended it, in a field of their own. */
  choice: { finish_reason?: string | null | undefined; [field: string]: unknown };
  hasCalls: boolean;
  stopSequences: readonly string[];
}

/**
 * | chat | message |
 * |---|---|
 * | `length` | `max_tokens` |
 * | `content_filter` | `refusal` |
 * | `tool_calls`, `function_call`, or any other with calls in it | `tool_use` |
 * | `stop`, and the server tells at which sequence | `stop_sequence` |
 * | any other | `end_turn` |
 */
export function anthropicStopReason({ choice, hasCalls, stopSequences }: ChatEnd): AnthropicStop {
  const reason = choice.finish_reason ?? "stop";
  if (reason === "length") return { stop_reason: "max_tokens", stop_sequence: null };
  if (reason === "content_filter") return { stop_reason: "refusal", stop_sequence: null };
  if (hasCalls || reason === "tool_calls" || reason === "function_call") {
    return { stop_reason: "tool_use", stop_sequence: null };
  }
  const sequence = SEQUENCE_FIELDS.map((field) => choice[field]).find(
    (value) => typeof value === "string" && stopSequences.includes(value),
  );
  if (typeof sequence !== "string") return { stop_reason: "end_turn", stop_sequence: null };
  return { stop_reason: "stop_sequence", stop_sequence: sequence };
}

/** Where vLLM, SGLang and llama-server tell which sequence ended an answer. */
const SEQUENCE_FIELDS = ["stop_reason", "matched_stop", "stopping_word"];

/** Token counts in the words of messages, where what came from the cache is counted apart. */
export function anthropicUsageFromChat(usage: ChatUsage | null | undefined) {
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0;
  const thinking = usage?.completion_tokens_details?.reasoning_tokens;
  return {
    input_tokens: Math.max(0, (usage?.prompt_tokens ?? 0) - cached),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: usage?.completion_tokens ?? 0,
    ...(thinking == null ? {} : { output_tokens_details: { thinking_tokens: thinking } }),
  } satisfies MessagesUsage;
}
