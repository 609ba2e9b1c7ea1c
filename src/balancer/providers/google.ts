import { anthropicMessagesOverChat } from "../../translation/client/anthropic/translation.ts";
import {
  ollamaEmbeddingsOverEmbeddings,
  ollamaEmbedOverEmbeddings,
} from "../../translation/client/ollama/embeddings.ts";
import { ollamaChatOverChat } from "../../translation/client/ollama/translation.ts";
import { responsesOverChat } from "../../translation/client/responses/translation.ts";
import { tokenCountOverGoogle } from "../../translation/provider/google/counttokens.ts";
import { embeddingsOverGoogle } from "../../translation/provider/google/embeddings.ts";
import { chatOverGoogle } from "../../translation/provider/google/translation.ts";
import { GoogleModels } from "../../wire/google.ts";
import { type BuiltInProvider, CHAT_APIS, type ModelListingPage } from "./api.ts";
import { generateOver, over } from "./translators.ts";

/** Google's Gemini API. Source: https://ai.google.dev/api */
export const GOOGLE: BuiltInProvider = {
  name: "google",
  id: "00000000-0000-0000-0000-00000000c002",
  keyName: "GOOGLE_API_KEY",
  api: {
    routes: {
      chat: chatOverGoogle,
      responses: over(responsesOverChat, chatOverGoogle),
      anthropic_messages: over(anthropicMessagesOverChat, chatOverGoogle),
      count_tokens: (request, model) =>
        tokenCountOverGoogle(anthropicMessagesOverChat(request).body, model),
      embeddings: embeddingsOverGoogle,
      ollama_chat: over(ollamaChatOverChat, chatOverGoogle),
      ollama_generate: generateOver(chatOverGoogle),
      ollama_embed: over(ollamaEmbedOverEmbeddings, embeddingsOverGoogle),
      ollama_embeddings: over(ollamaEmbeddingsOverEmbeddings, embeddingsOverGoogle),
    },
    headers: (key): Record<string, string> => (key === undefined ? {} : { "x-goog-api-key": key }),
    listPath: pagePath(),
    readPage,
    seesImages: true,
    fetchesImages: false,
  },
};

function pagePath(token?: string): string {
  const from = token === undefined ? "" : `&pageToken=${encodeURIComponent(token)}`;
  return `/models?pageSize=1000${from}`;
}

function readPage(json: unknown): ModelListingPage | undefined {
  const list = GoogleModels.safeParse(json).data;
  if (list === undefined) return undefined;
  const models = list.models.flatMap(({ name, inputTokenLimit, supportedGenerationMethods }) => {
    const apis = supportedGenerationMethods.flatMap((method) => APIS.get(method) ?? []);
    if (apis.length === 0) return [];
    const limit = inputTokenLimit === undefined ? {} : { maxTokens: inputTokenLimit };
    return [{ id: name.replace(/^models\//, ""), created: 0, apis: [...new Set(apis)], ...limit }];
  });
  const { nextPageToken: token } = list;
  return { models, next: token ? pagePath(token) : undefined };
}

/** By the methods that Google lists of a model. */
const APIS = new Map([
  ["generateContent", CHAT_APIS],
  ["embedContent", ["embeddings"]],
]);
