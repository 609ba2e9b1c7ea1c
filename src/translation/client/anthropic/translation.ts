import { MessagesRequest } from "../../../wire/anthropic.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { anthropicMessageFromChat } from "./answer.ts";
import { chatBodyFromAnthropic } from "./request.ts";
import { AnthropicStreamFromChat } from "./stream.ts";

/**
 * Translates a request to `/v1/messages` for an upstream that speaks only chat completions. Throws
 * `invalid_request` for what those cannot express: tools that Anthropic runs, files that only it
 * has. Source: https://platform.claude.com/docs/en/api/messages
 */
export function anthropicMessagesOverChat(request: unknown): Translation {
  const message = parseRequest(MessagesRequest, request);
  const options = { model: message.model, stopSequences: message.stop_sequences ?? [] };
  return {
    path: ROUTES.chat.path,
    body: chatBodyFromAnthropic(message),
    answer: (json) => anthropicMessageFromChat(json, options),
    stream: () => new AnthropicStreamFromChat(options),
  };
}
