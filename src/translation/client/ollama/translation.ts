import { OllamaChatRequest } from "../../../wire/ollama.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { ollamaAnswerFromChat } from "./answer.ts";
import { chatAnswerShape } from "./answershape.ts";
import { loadTranslation } from "./load.ts";
import { chatMessagesFromOllama } from "./messages.ts";
import { chatSettingsFromOllama } from "./request.ts";
import { type MillisecondClock, RequestStatistics } from "./statistics.ts";
import { OllamaStreamFromChat } from "./stream.ts";
import { chatToolsFromOllama } from "./tools.ts";

/**
 * Translates a request to Ollama's `/api/chat` for an upstream that speaks chat completions. It
 * streams unless `stream` is false. Without messages the model is only loaded.
 * Source: https://docs.ollama.com/api/chat
 */
export function ollamaChatOverChat(request: unknown, clock?: MillisecondClock): Translation {
  const chat = parseRequest(OllamaChatRequest, request);
  const { model } = chat;
  const messages = chatMessagesFromOllama(chat.messages ?? []);
  if (messages.length === 0) return loadTranslation(chat, chatAnswerShape);
  const tools = chatToolsFromOllama(chat.tools ?? []);
  const options = { model, shape: chatAnswerShape, statistics: new RequestStatistics(clock) };
  return {
    path: ROUTES.chat.path,
    body: {
      model,
      messages,
      ...(tools.length === 0 ? {} : { tools }),
      ...chatSettingsFromOllama(chat),
    },
    answer: (json) => ollamaAnswerFromChat(options, json),
    stream: () => new OllamaStreamFromChat(options),
  };
}
