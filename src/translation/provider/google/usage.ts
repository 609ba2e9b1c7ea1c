import type { ChatUsage } from "../../../wire/chat.ts";
import type { GoogleUsage } from "../../../wire/google.ts";

/** The token counts of a chat for Google's: thinking is part of the completion. */
export function chatUsageFromGoogle(usage: GoogleUsage): ChatUsage {
  const { cachedContentTokenCount: cached, thoughtsTokenCount: thinking } = usage;
  const prompt = usage.promptTokenCount + (usage.toolUsePromptTokenCount ?? 0);
  const completion = usage.candidatesTokenCount + (thinking ?? 0);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
    ...(thinking === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: thinking } }),
  };
}
