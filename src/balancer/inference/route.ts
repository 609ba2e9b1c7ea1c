import type { ZodType } from "zod";
import type { Settings } from "../../config/settings.ts";
import type { GuardedSchema } from "../../http/server/body.ts";
import { estimateInputTokens } from "../../translation/messages/estimate.ts";
import { messagesOverChat } from "../../translation/messages/messages.ts";
import { ollamaChatOverChat } from "../../translation/ollama/chat.ts";
import {
  ollamaEmbeddingsOverEmbeddings,
  ollamaEmbedOverEmbeddings,
} from "../../translation/ollama/embed.ts";
import { ollamaGenerateOverChat } from "../../translation/ollama/generate.ts";
import { responsesOverChat } from "../../translation/responses/responses.ts";
import { refuseState } from "../../translation/responses/state.ts";
import type { Translation } from "../../translation/translation.ts";
import { IMAGE_MODEL_DEFAULT, ImageRequest, SpeechRequest } from "../../wire/media.ts";
import { EmbeddingsRequest, InferenceRequest, isInferenceRequest } from "../../wire/openai.ts";
import type { OutputKind } from "../record/record.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { needOfRoute } from "./needs.ts";

/** What is read of every request; `model` may be missing where there is a default. */
export interface Asked {
  model?: string | null | undefined;
  stream?: unknown;
  [field: string]: unknown;
}

/** One of the client APIs' inference routes whose body is JSON. */
export interface Route {
  path: string;
  /** What its requests are called in history and statistics. */
  type: string;
  writes: OutputKind;
  schema: ZodType<Asked> | GuardedSchema<Asked>;
  /** Its requests have a prompt of which endpoints keep what they computed. */
  prompts: boolean;
  /** Its streams tell usage as those of chat completions do. */
  usage: boolean;
  /** It streams unless told not to, as Ollama does. */
  streamsByDefault: boolean;
  /** How to put a request to an endpoint that does not speak this API. */
  via: ((request: unknown) => Translation) | undefined;
  /** The answer of our own where no endpoint with the model has this route. */
  estimate: ((request: unknown) => object) | undefined;
  /** Throws for what no endpoint of ours can do; clouds may. */
  refuse: ((request: unknown) => void) | undefined;
  /** The model of requests that name none, where they may. */
  modelDefault: (settings: Settings) => string;
  /** What an endpoint must have for it, where not every one has. */
  need: Requirement<Endpoint> | undefined;
}

const INFERENCE = { schema: InferenceRequest, accepts: isInferenceRequest };

type Given = Pick<Route, "path" | "type"> & Partial<Omit<Route, "need">> & { isOptional?: true };

/** Every such route. */
export const ROUTES: readonly Route[] = [
  route({ path: "/v1/chat/completions", type: "chat", prompts: true, usage: true }),
  route({
    path: "/v1/completions",
    type: "generate",
    prompts: true,
    usage: true,
    isOptional: true,
  }),
  route({
    path: "/v1/embeddings",
    type: "embeddings",
    writes: "numbers",
    schema: EmbeddingsRequest,
    modelDefault: ({ embeddingModel }) => embeddingModel,
    isOptional: true,
  }),
  route({
    path: "/v1/responses",
    type: "responses",
    prompts: true,
    via: responsesOverChat,
    refuse: refuseState,
  }),
  route({
    path: "/v1/messages",
    type: "anthropic_messages",
    prompts: true,
    via: messagesOverChat,
  }),
  ollama("chat", { prompts: true, via: ollamaChatOverChat }),
  ollama("generate", { prompts: true, via: ollamaGenerateOverChat }),
  ollama("embed", { writes: "numbers", streamsByDefault: false, via: ollamaEmbedOverEmbeddings }),
  ollama("embeddings", {
    writes: "numbers",
    streamsByDefault: false,
    via: ollamaEmbeddingsOverEmbeddings,
  }),
  route({
    path: "/v1/messages/count_tokens",
    type: "count_tokens",
    writes: "other",
    estimate: (request) => ({ input_tokens: estimateInputTokens(request) }),
    isOptional: true,
  }),
  route({ path: "/v1/rerank", type: "rerank", writes: "numbers", isOptional: true }),
  route({
    path: "/v1/audio/speech",
    type: "speech",
    writes: "other",
    schema: SpeechRequest,
    isOptional: true,
  }),
  route({
    path: "/v1/images/generations",
    type: "imagegeneration",
    writes: "other",
    schema: ImageRequest,
    modelDefault: () => IMAGE_MODEL_DEFAULT,
    isOptional: true,
  }),
];

function ollama(name: string, more: Partial<Given>): Route {
  const shared = { path: `/api/${name}`, type: `ollama_${name}`, streamsByDefault: true };
  return route({ ...shared, ...more });
}

function route({ isOptional, ...given }: Given): Route {
  return {
    writes: "text",
    schema: INFERENCE,
    prompts: false,
    usage: false,
    streamsByDefault: false,
    via: undefined,
    estimate: undefined,
    refuse: undefined,
    modelDefault: () => "",
    need: isOptional ? needOfRoute(given.path) : undefined,
    ...given,
  };
}
