import type { ChatUsage } from "../../../wire/chat.ts";

/** The token counts of a response for those of a chat completion. */
export function responsesUsageFromChat(usage: ChatUsage) {
  const { prompt_tokens, completion_tokens, total_tokens } = usage;
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  return {
    input_tokens: prompt_tokens,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: completion_tokens,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: total_tokens ?? prompt_tokens + completion_tokens,
  };
}
