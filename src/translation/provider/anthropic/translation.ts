import { ChatRequest } from "../../../wire/chat.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { chatCompletionFromAnthropic } from "./answer.ts";
import { anthropicBodyFromChat } from "./request.ts";
import { ChatStreamFromAnthropic } from "./stream.ts";

/**
 * Translates a chat completion for Anthropic's Messages API. Throws `invalid_request` for what that
 * cannot express: several answers, log probabilities, audio.
 * Source: https://platform.claude.com/docs/en/api/messages
 */
export function chatOverAnthropic(request: unknown): Translation {
  const chat = parseRequest(ChatRequest, request);
  const includesUsage = chat.stream_options?.include_usage === true;
  const options = { model: chat.model, includesUsage };
  return {
    path: ROUTES.anthropic_messages.path,
    body: anthropicBodyFromChat(chat),
    answer: (json) => chatCompletionFromAnthropic(json, options),
    stream: () => new ChatStreamFromAnthropic(options),
  };
}
