import type { RouteName } from "../wire/route.ts";
import { messagesOverChat } from "./messages/messages.ts";
import { ollamaChatOverChat } from "./ollama/chat.ts";
import { ollamaEmbeddingsOverEmbeddings, ollamaEmbedOverEmbeddings } from "./ollama/embed.ts";
import { ollamaGenerateOverChat } from "./ollama/generate.ts";
import { responsesOverChat } from "./responses/responses.ts";
import type { Translation } from "./translation.ts";

/**
 * The translation of a client's request for an upstream that lacks the request's route. A route
 * that is not listed here can only be answered by an upstream that has it.
 */
export const overRoute: Readonly<Partial<Record<RouteName, (request: unknown) => Translation>>> = {
  responses: responsesOverChat,
  anthropic_messages: messagesOverChat,
  ollama_chat: ollamaChatOverChat,
  ollama_generate: ollamaGenerateOverChat,
  ollama_embed: ollamaEmbedOverEmbeddings,
  ollama_embeddings: ollamaEmbeddingsOverEmbeddings,
};
