import { MessagesRequest } from "../../wire/anthropic.ts";
import { readRequest } from "../reading.ts";
import type { Translation } from "../translation.ts";
import { messageOf } from "./answer.ts";
import { chatBody } from "./request.ts";
import { MessageStream } from "./stream.ts";

/**
 * A client of `/v1/messages` at an endpoint that speaks only chat completions. Throws 400 for what
 * chat completions have no words for: tools that Anthropic runs, files that only it has.
 */
export function messagesOverChat(request: unknown): Translation {
  const parsed = readRequest(MessagesRequest, request);
  const asked = { model: parsed.model, stopSequences: parsed.stop_sequences ?? [] };
  return {
    path: "/v1/chat/completions",
    body: chatBody(parsed),
    answer: (json) => messageOf(json, asked),
    stream: () => new MessageStream(asked),
  };
}

/** What an answer needs to know of its request. */
export interface Asked {
  /** The model, as the client calls it. */
  model: string;
  stopSequences: readonly string[];
}
