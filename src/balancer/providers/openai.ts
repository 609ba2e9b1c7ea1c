import { authorizationOf } from "../../config/values/endpoint.ts";
import { anthropicMessagesOverChat } from "../../translation/client/anthropic/translation.ts";
import {
  ollamaEmbeddingsOverEmbeddings,
  ollamaEmbedOverEmbeddings,
} from "../../translation/client/ollama/embeddings.ts";
import { ollamaGenerateOverChat } from "../../translation/client/ollama/generate.ts";
import { ollamaChatOverChat } from "../../translation/client/ollama/translation.ts";
import { responsesOverChat } from "../../translation/client/responses/translation.ts";
import { openaiBody, openaiCompatibleBody } from "../../translation/provider/openai/request.ts";
import { ModelList } from "../../wire/openai.ts";
import { ROUTE_LIST } from "../../wire/route.ts";
import { type BodyEdit, namingModel } from "../upstream/translator.ts";
import { type BuiltInProvider, CHAT_APIS, type ModelListingPage, type ProviderApi } from "./api.ts";
import { estimatedCount } from "./translators.ts";

/** The routes that OpenAI invented, or whoever calls itself compatible may have. */
const NATIVE = Object.fromEntries(
  ROUTE_LIST.filter(({ dialect }) => dialect === "openai" || dialect === "responses").map(
    ({ name }) => [name, "native"] as const,
  ),
);

function openaiApi(edit: BodyEdit, fetchesImages: boolean): ProviderApi {
  return {
    routes: {
      ...NATIVE,
      anthropic_messages: namingModel(anthropicMessagesOverChat, edit),
      count_tokens: estimatedCount,
      ollama_chat: namingModel(ollamaChatOverChat, edit),
      ollama_generate: namingModel(ollamaGenerateOverChat, edit),
      ollama_embed: namingModel(ollamaEmbedOverEmbeddings, edit),
      ollama_embeddings: namingModel(ollamaEmbeddingsOverEmbeddings, edit),
    },
    headers: (key) => (key === undefined ? {} : { authorization: authorizationOf(key) }),
    listPath: "/v1/models",
    readPage,
    seesImages: false,
    fetchesImages,
  };
}

export const OPENAI: BuiltInProvider = {
  name: "openai",
  id: "00000000-0000-0000-0000-00000000c001",
  api: openaiApi(openaiBody, true),
  keyName: "OPENAI_API_KEY",
};

/**
 * The API of providers that are like OpenAI, which operators define; `wantsThoughts` for those that
 * take the thoughts of earlier turns, which others refuse. Few of them have responses: whoever has
 * none is asked for chats.
 */
export function compatibleApi(wantsThoughts: boolean): ProviderApi {
  const edit: BodyEdit = (_, body) => openaiCompatibleBody(body, wantsThoughts);
  const otherwise = { responses: namingModel(responsesOverChat, edit) };
  return { ...openaiApi(edit, false), otherwise };
}

function readPage(json: unknown): ModelListingPage | undefined {
  const list = ModelList.safeParse(json).data;
  if (list === undefined) return undefined;
  const models = list.data.map(({ id, created }) => ({
    id,
    created: typeof created === "number" ? created : 0,
    apis: apisOf(id),
  }));
  return { models, next: undefined };
}

/** OpenAI's list does not say what a model can do; names do. */
function apisOf(id: string): string[] {
  if (/embed/i.test(id)) return ["embeddings"];
  if (/^(?:tts|whisper|dall-e|sora)|transcribe|moderation|-image|-tts|realtime/.test(id)) return [];
  return CHAT_APIS;
}
