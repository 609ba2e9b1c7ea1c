import { MessagesRequest } from "../../../wire/anthropic.ts";
import { ImageRequest, SpeechRequest } from "../../../wire/media.ts";
import {
  OllamaChatRequest,
  OllamaEmbeddingsRequest,
  OllamaEmbedRequest,
  OllamaGenerateRequest,
  OllamaShowRequest,
} from "../../../wire/ollama.ts";
import { EmbeddingsRequest, InferenceRequest } from "../../../wire/openai.ts";
import { ResponsesRequest } from "../../../wire/responses.ts";
import { type InferenceRoute, ROUTE_LIST, type RouteName } from "../../../wire/route.ts";
import type { NamedSchema, Operation, Operations } from "../operation.ts";

const APIS = { openai: "OpenAI", responses: "OpenAI", anthropic: "Anthropic", ollama: "Ollama" };

/** What is read of the bodies; all further fields go on to the model's server as they are. */
const BODIES: Partial<Record<RouteName, NamedSchema>> = {
  embeddings: { EmbeddingsRequest },
  responses: { ResponsesRequest },
  anthropic_messages: { MessagesRequest },
  count_tokens: { MessagesRequest },
  ollama_chat: { OllamaChatRequest },
  ollama_generate: { OllamaGenerateRequest },
  ollama_embed: { OllamaEmbedRequest },
  ollama_embeddings: { OllamaEmbeddingsRequest },
  speech: { SpeechRequest },
  imagegeneration: { ImageRequest },
};

/** The routes of the table of inference routes, and those beside them in the same APIs. */
export const INFERENCE_OPERATIONS: Operations = {
  ...Object.fromEntries(ROUTE_LIST.map((route) => [`POST ${route.path}`, operationOf(route)])),
  "GET /v1/responses/:id": { summary: "Show a response that was made earlier" },
  "DELETE /v1/responses/:id": { summary: "Delete a response that was made earlier" },
  "POST /v1/responses/:id/cancel": { summary: "Cancel a response that is being made" },
  "GET /v1/responses/:id/input_items": { summary: "List what a response was made of" },
  "GET /": { summary: "What runs here", media: "text/plain" },
  "GET /api/version": { summary: "The version, as Ollama's clients ask for it" },
  "GET /api/tags": { summary: "List the models, as Ollama's clients ask for them" },
  "GET /api/ps": { summary: "List the loaded models, as Ollama's clients ask for them" },
  "POST /api/show": {
    summary: "Show a model, as Ollama's clients ask for it",
    body: { OllamaShowRequest },
  },
  ...Object.fromEntries(
    [
      ...["POST /api/pull", "POST /api/push", "POST /api/create", "POST /api/copy"],
      ...["POST /api/blobs/:digest", "DELETE /api/delete"],
    ].map((route) => [
      route,
      { summary: "Not done in Ollama's way: refused (501), with the route that does it" },
    ]),
  ),
};

function operationOf({ name, verb, dialect, form }: InferenceRoute): Operation {
  const summary = `${verb.charAt(0).toUpperCase()}${verb.slice(1)} (${APIS[dialect]}'s API)`;
  const description = `As ${APIS[dialect]} documents it. What is described here is what llmlb \
reads; other fields go on to whoever serves the model.`;
  if (form !== undefined) return { summary, description, takes: "multipart/form-data" };
  return { summary, description, body: BODIES[name] ?? { InferenceRequest } };
}
