import { chatOverMessages } from "../../translation/anthropic/chat.ts";
import { compose } from "../../translation/compose.ts";
import { chatOverGoogle } from "../../translation/google/chat.ts";
import { countOverGoogle } from "../../translation/google/counttokens.ts";
import { embeddingsOverGoogle } from "../../translation/google/embeddings.ts";
import { estimateInputTokens } from "../../translation/messages/estimate.ts";
import { messagesOverChat } from "../../translation/messages/messages.ts";
import { ollamaChatOverChat } from "../../translation/ollama/chat.ts";
import {
  ollamaEmbeddingsOverEmbeddings,
  ollamaEmbedOverEmbeddings,
} from "../../translation/ollama/embed.ts";
import { ollamaGenerateOverChat } from "../../translation/ollama/generate.ts";
import { compatibleBody, plainBody } from "../../translation/openai/plain.ts";
import { responsesOverChat } from "../../translation/responses/responses.ts";
import type { Translation } from "../../translation/translation.ts";
import { ApiError } from "../../wire/error.ts";
import type { Provider } from "./provider.ts";

/** Puts a client's request to a cloud, under the cloud's own name for the model. */
export type Put = (request: unknown, model: string) => Translation;

/** How a cloud answers one of our paths: its own API has it, it is translated, or not at all. */
export type Speech = "native" | Put | undefined;

/** How a cloud answers requests for one of our paths. */
export function speechOf({ api, name }: Pick<Provider, "api" | "name">, path: string): Speech {
  const kind = api === "openai" && name !== "openai" ? "compatible" : api;
  const speech = SPEECHES[kind].get(path);
  return speech ?? (api === "openai" && path.startsWith("/v1/") ? "native" : undefined);
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
  ["/api/chat", "chat"],
  ["/api/generate", "complete a text"],
  ["/api/embed", "make embeddings"],
  ["/api/embeddings", "make embeddings"],
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

type Outer = (request: unknown) => Translation;

/** The client's API in terms of one of OpenAI's, that in terms of the cloud's. */
function over(outer: Outer, inner: Put): Put {
  return (request, model) => compose(outer(request), (body) => inner(body, model));
}

/** An API whose bodies name the model; `edit` makes a cloud's own of a body for any server. */
function plain(outer: Outer, edit: Edit = (_, body) => body): Put {
  return (request, model) => {
    const translation = outer(request);
    const { path, body } = translation;
    return { ...bound(translation), path, body: edit(path, { ...body, model }) };
  };
}

type Body = Translation["body"];
type Edit = (path: string, body: Body) => Body;

/** What of a translation is not its request. */
function bound(translation: Translation): Omit<Translation, "path" | "body"> {
  const { known } = translation;
  const stream = translation.stream?.bind(translation);
  return {
    answer: (json) => translation.answer(json),
    ...(stream === undefined ? {} : { stream }),
    ...(known === undefined ? {} : { known }),
  };
}

/** Ollama's `raw` is for `/v1/completions`, which these clouds do not have. */
function generated(chat: Put): Put {
  const put = over(ollamaGenerateOverChat, chat);
  return (request, model) => {
    if (Object(request).raw !== true) return put(request, model);
    const message = `The text cannot be generated: \`raw\` is not supported by this model's cloud. \
Leave it out.`;
    const code = "unsupported_parameter";
    throw new ApiError("invalid_request", message, { code, param: "raw" });
  };
}

/** Clouds that cannot count: nobody is asked. */
function estimated(request: unknown): Translation {
  const known = { input_tokens: estimateInputTokens(request) };
  return { path: "/v1/messages/count_tokens", body: {}, answer: () => known, known };
}

function countAtGoogle(request: unknown, model: string): Translation {
  return countOverGoogle(messagesOverChat(request).body, model);
}

/** OpenAI's API itself, and clouds that are like it. */
function openaiSpeeches(edit: Edit): ReadonlyMap<string, Speech> {
  return new Map<string, Speech>([
    ["/v1/messages", plain(messagesOverChat, edit)],
    ["/v1/messages/count_tokens", estimated],
    ["/api/chat", plain(ollamaChatOverChat, edit)],
    ["/api/generate", plain(ollamaGenerateOverChat, edit)],
    ["/api/embed", plain(ollamaEmbedOverEmbeddings, edit)],
    ["/api/embeddings", plain(ollamaEmbeddingsOverEmbeddings, edit)],
  ]);
}

const chatAtAnthropic = plain(chatOverMessages);

const SPEECHES: Record<Provider["api"] | "compatible", ReadonlyMap<string, Speech>> = {
  openai: openaiSpeeches(plainBody),
  compatible: openaiSpeeches((_, body) => compatibleBody(body)),
  google: new Map<string, Speech>([
    ["/v1/chat/completions", chatOverGoogle],
    ["/v1/responses", over(responsesOverChat, chatOverGoogle)],
    ["/v1/messages", over(messagesOverChat, chatOverGoogle)],
    ["/v1/messages/count_tokens", countAtGoogle],
    ["/v1/embeddings", embeddingsOverGoogle],
    ["/api/chat", over(ollamaChatOverChat, chatOverGoogle)],
    ["/api/generate", generated(chatOverGoogle)],
    ["/api/embed", over(ollamaEmbedOverEmbeddings, embeddingsOverGoogle)],
    ["/api/embeddings", over(ollamaEmbeddingsOverEmbeddings, embeddingsOverGoogle)],
  ]),
  anthropic: new Map<string, Speech>([
    ["/v1/chat/completions", chatAtAnthropic],
    ["/v1/responses", over(responsesOverChat, chatAtAnthropic)],
    ["/v1/messages", "native"],
    ["/v1/messages/count_tokens", "native"],
    ["/api/chat", over(ollamaChatOverChat, chatAtAnthropic)],
    ["/api/generate", generated(chatAtAnthropic)],
  ]),
};
