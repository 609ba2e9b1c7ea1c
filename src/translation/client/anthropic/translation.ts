import { MessagesRequest } from "../../../wire/anthropic.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { anthropicMessageFromChat } from "./answer.ts";
import { chatBodyFromAnthropic } from "./request.ts";
import { AnthropicStreamFromChat } from "./stream.ts";

/**
 * A client of `/v1/messages` at an endpoint that speaks only chat completions. Throws 400 for what
 * chat completions have no words for: tools that Anthropic runs, files that only it has.
 */
export function anthropicMessagesOverChat(request: unknown): Translation {
  const parsed = parseRequest(MessagesRequest, request);
  const asked = { model: parsed.model, stopSequences: parsed.stop_sequences ?? [] };
  return {
    path: ROUTES.chat.path,
    body: chatBodyFromAnthropic(parsed),
    answer: (json) => anthropicMessageFromChat(json, asked),
    stream: () => new AnthropicStreamFromChat(asked),
  };
}
