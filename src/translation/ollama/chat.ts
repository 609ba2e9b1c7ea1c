import { OllamaChatRequest, type OllamaSettings } from "../../wire/ollama.ts";
import { readRequest } from "../reading.ts";
import type { Translation } from "../translation.ts";
import { answerOfChat, answerOfLoading } from "./answer.ts";
import { chatForm, type Form } from "./form.ts";
import { type Clock, Measure } from "./measure.ts";
import { messagesOf, toolsOf } from "./messages.ts";
import { loadingOf, settingsOf } from "./settings.ts";
import { OllamaStream } from "./stream.ts";

const CHAT = "/v1/chat/completions";

/**
 * Puts `POST /api/chat` of Ollama's API to an endpoint that speaks chat completions. Streams unless
 * `stream` is false: `body.stream` tells. Without messages the model is only loaded.
 * Source: https://docs.ollama.com/api/chat
 */
export function ollamaChatOverChat(request: unknown, clock?: Clock): Translation {
  const asked = readRequest(OllamaChatRequest, request);
  const messages = messagesOf(asked.messages ?? []);
  if (messages.length === 0) return loading(asked, chatForm);
  const tools = toolsOf(asked.tools ?? []);
  const options = { model: asked.model, form: chatForm, measure: new Measure(clock) };
  return {
    path: CHAT,
    body: {
      model: asked.model,
      messages,
      ...(tools.length === 0 ? {} : { tools }),
      ...settingsOf(asked),
    },
    answer: (json) => answerOfChat(options, json),
    stream: () => new OllamaStream(options),
  };
}

/** A request that only wants the model to be there: it is asked for one token. */
export function loading(asked: OllamaSettings, form: Form): Translation {
  const { model, keep_alive } = asked;
  const answer = () => answerOfLoading({ model, form, measure: new Measure() }, keep_alive);
  const messages = [{ role: "user", content: "." }];
  const body = { model, messages, ...loadingOf(asked) };
  return { path: CHAT, body, answer, known: answer() };
}
