import { chatOverMessages } from "../../translation/anthropic/chat.ts";
import { compose } from "../../translation/compose.ts";
import { chatOverGoogle } from "../../translation/google/chat.ts";
import { countOverGoogle } from "../../translation/google/counttokens.ts";
import { embeddingsOverGoogle } from "../../translation/google/embeddings.ts";
import { messagesOverChat } from "../../translation/messages/messages.ts";
import { responsesOverChat } from "../../translation/responses/responses.ts";
import type { Translation } from "../../translation/translation.ts";
import { ApiError } from "../../wire/error.ts";
import type { CloudApi } from "./provider.ts";

/** Puts a client's request to a cloud, under the cloud's own name for the model. */
export type Put = (request: unknown, model: string) => Translation;

/** How a cloud answers one of our paths: its own API has it, it is translated, or not at all. */
export type Speech = "native" | Put | undefined;

/** How clouds of an API answer requests for one of our paths. */
export function speechOf(api: CloudApi, path: string): Speech {
  const speech = SPEECHES[api].get(path);
  return speech ?? (api === "openai" && !path.startsWith("/v1/messages") ? "native" : undefined);
}

/** The names of what a path is for, in errors. */
const ABILITIES = new Map([
  ["/v1/chat/completions", "chat"],
  ["/v1/completions", "complete a text"],
  ["/v1/embeddings", "make embeddings"],
  ["/v1/responses", "answer the responses API"],
  ["/v1/messages", "answer Anthropic's messages"],
  ["/v1/messages/count_tokens", "count tokens"],
  ["/v1/rerank", "rank documents"],
  ["/v1/audio/transcriptions", "transcribe speech"],
  ["/v1/audio/speech", "speak"],
  ["/v1/images/generations", "make images"],
  ["/v1/images/edits", "edit images"],
  ["/v1/images/variations", "vary images"],
]);

/** A 400 for a path that a model's cloud does not answer. */
export function cannot(model: string, provider: string, path: string): ApiError {
  const ability = ABILITIES.get(path) ?? `answer ${path}`;
  const message = `The model "${model}" cannot ${ability}: ${provider} has nothing for it that \
requests can be put to. Choose another model.`;
  return new ApiError("invalid_request", message, {
    code: "model_capability_mismatch",
    param: "model",
  });
}

/** The client's API in terms of chat completions, those in terms of the cloud's. */
function over(outer: (request: unknown) => Translation, chat: Put): Put {
  return (request, model) => compose(outer(request), (inner) => chat(inner, model));
}

/** An API whose bodies name the model. */
function plain(outer: (request: unknown) => Translation): Put {
  return (request, model) => named(outer(request), model);
}

/** The translation with the cloud's name of the model in the body. */
function named(translation: Translation, model: string): Translation {
  const { path, body } = translation;
  const stream = translation.stream?.bind(translation);
  return {
    path,
    body: { ...body, model },
    answer: (json) => translation.answer(json),
    ...(stream === undefined ? {} : { stream }),
  };
}

/** Anthropic's requests to count say everything but the most that may be answered. */
function countAtGoogle(request: unknown, model: string): Translation {
  const { body } = messagesOverChat({ ...Object(request), max_tokens: 1 });
  return countOverGoogle(body, model);
}

const SPEECHES: Record<CloudApi, ReadonlyMap<string, Speech>> = {
  openai: new Map<string, Speech>([["/v1/messages", plain(messagesOverChat)]]),
  google: new Map<string, Speech>([
    ["/v1/chat/completions", chatOverGoogle],
    ["/v1/responses", over(responsesOverChat, chatOverGoogle)],
    ["/v1/messages", over(messagesOverChat, chatOverGoogle)],
    ["/v1/messages/count_tokens", countAtGoogle],
    ["/v1/embeddings", embeddingsOverGoogle],
  ]),
  anthropic: new Map<string, Speech>([
    ["/v1/chat/completions", plain(chatOverMessages)],
    ["/v1/responses", over(responsesOverChat, plain(chatOverMessages))],
    ["/v1/messages", "native"],
    ["/v1/messages/count_tokens", "native"],
  ]),
};
