import type { RouteName } from "../wire/route.ts";
import { anthropicMessagesOverChat } from "./client/anthropic/translation.ts";
import {
  ollamaEmbeddingsOverEmbeddings,
  ollamaEmbedOverEmbeddings,
} from "./client/ollama/embeddings.ts";
import { ollamaGenerateOverChat } from "./client/ollama/generate.ts";
import { ollamaChatOverChat } from "./client/ollama/translation.ts";
import { responsesOverChat } from "./client/responses/translation.ts";
import type { Translation } from "./translation.ts";

/**
 * The translation of a client's request for an upstream that lacks the request's route. A route
 * that is not listed here can only be answered by an upstream that has it.
 */
export const overRoute: Readonly<Partial<Record<RouteName, (request: unknown) => Translation>>> = {
  responses: responsesOverChat,
  anthropic_messages: anthropicMessagesOverChat,
  ollama_chat: ollamaChatOverChat,
  ollama_generate: ollamaGenerateOverChat,
  ollama_embed: ollamaEmbedOverEmbeddings,
  ollama_embeddings: ollamaEmbeddingsOverEmbeddings,
};
