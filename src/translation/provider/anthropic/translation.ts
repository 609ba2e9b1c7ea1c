import { ChatRequest } from "../../../wire/chat.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { chatCompletionFromAnthropic } from "./answer.ts";
import { anthropicBodyFromChat } from "./request.ts";
import { ChatStreamFromAnthropic } from "./stream.ts";

/**
 * A client of chat completions at an endpoint that speaks Anthropic's Messages API. Throws 400 for
 * what messages have no words for: several answers, log probabilities, audio.
 */
export function chatOverAnthropic(request: unknown): Translation {
  const parsed = parseRequest(ChatRequest, request);
  const asked = {
    model: parsed.model,
    includesUsage: parsed.stream_options?.include_usage === true,
  };
  return {
    path: ROUTES.anthropic_messages.path,
    body: anthropicBodyFromChat(parsed),
    answer: (json) => chatCompletionFromAnthropic(json, asked),
    stream: () => new ChatStreamFromAnthropic(asked),
  };
}
