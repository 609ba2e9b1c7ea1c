/** The end of a chat completion. */
interface ChatEnd {
  /** The choice, of which some servers write the stop sequence into a field of their own. */
  choice: { finish_reason?: string | null | undefined; [field: string]: unknown };
  hasCalls: boolean;
  stopSequences: readonly string[];
}

/** Why an answer ended, as Anthropic says it. */
interface AnthropicStop {
  stop_reason: string;
  /** The sequence that ended it, where that was the reason and the server reports it. */
  stop_sequence: string | null;
}

/**
 * Maps the finish reason of a chat completion to Anthropic's stop reason.
 *
 * | chat completion | Anthropic |
 * |---|---|
 * | `length` | `max_tokens` |
 * | `content_filter` | `refusal` |
 * | `tool_calls`, `function_call`, or any other with calls in it | `tool_use` |
 * | `stop`, and the server reports which sequence | `stop_sequence` |
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

/** The fields in which vLLM, SGLang and llama-server report the stop sequence. */
const SEQUENCE_FIELDS = ["stop_reason", "matched_stop", "stopping_word"];
