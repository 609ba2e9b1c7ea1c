import { OllamaChatRequest, type OllamaSettings } from "../../../wire/ollama.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { ollamaAnswerFromChat, ollamaLoadAnswer } from "./answer.ts";
import { type AnswerShape, chatAnswerShape } from "./answershape.ts";
import { chatMessagesFromOllama, chatToolsFromOllama } from "./messages.ts";
import { chatSettingsFromOllama, loadSettingsFromOllama } from "./request.ts";
import { type MillisecondClock, RequestStatistics } from "./statistics.ts";
import { OllamaStreamFromChat } from "./stream.ts";

const CHAT = ROUTES.chat.path;

/**
 * Puts `POST /api/chat` of Ollama's API to an endpoint that speaks chat completions. Streams unless
 * `stream` is false: `body.stream` tells. Without messages the model is only loaded.
 * Source: https://docs.ollama.com/api/chat
 */
export function ollamaChatOverChat(request: unknown, clock?: MillisecondClock): Translation {
  const asked = parseRequest(OllamaChatRequest, request);
  const messages = chatMessagesFromOllama(asked.messages ?? []);
  if (messages.length === 0) return loadTranslation(asked, chatAnswerShape);
  const tools = chatToolsFromOllama(asked.tools ?? []);
  const options = {
    model: asked.model,
    form: chatAnswerShape,
    measure: new RequestStatistics(clock),
  };
  return {
    path: CHAT,
    body: {
      model: asked.model,
      messages,
      ...(tools.length === 0 ? {} : { tools }),
      ...chatSettingsFromOllama(asked),
    },
    answer: (json) => ollamaAnswerFromChat(options, json),
    stream: () => new OllamaStreamFromChat(options),
  };
}

/** A request that only wants the model to be there: it is asked for one token. */
export function loadTranslation(asked: OllamaSettings, form: AnswerShape): Translation {
  const { model, keep_alive } = asked;
  const answer = () =>
    ollamaLoadAnswer({ model, form, measure: new RequestStatistics() }, keep_alive);
  const messages = [{ role: "user", content: "." }];
  const body = { model, messages, ...loadSettingsFromOllama(asked) };
  return { path: CHAT, body, answer, known: answer() };
}
