import { ChatRequest } from "../../wire/chat.ts";
import { readRequest } from "../reading.ts";
import type { Translation } from "../translation.ts";
import { completionOf } from "./answer.ts";
import { messagesBody } from "./request.ts";
import { ChatStream } from "./stream.ts";

/**
 * A client of chat completions at an endpoint that speaks Anthropic's Messages API. Throws 400 for
 * what messages have no words for: several answers, log probabilities, audio.
 */
export function chatOverMessages(request: unknown): Translation {
  const parsed = readRequest(ChatRequest, request);
  const asked = {
    model: parsed.model,
    includeUsage: parsed.stream_options?.include_usage === true,
  };
  return {
    path: "/v1/messages",
    body: messagesBody(parsed),
    answer: (json) => completionOf(json, asked),
    stream: () => new ChatStream(asked),
  };
}

/** What an answer needs to know of its request. */
export interface Asked {
  /** The model, as the client calls it. */
  model: string;
  /** Whether a stream tells token counts at its end. */
  includeUsage: boolean;
}
