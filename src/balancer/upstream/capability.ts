import type { Capability } from "../../wire/capability.ts";
import { ApiError } from "../../wire/error.ts";
import type { InferenceRoute } from "../../wire/route.ts";
import { type Endpoint, modelEntryOf } from "./endpoint.ts";

/** The capabilities' names in errors. */
const NAMES: Record<Capability, string> = {
  chat: "text generation",
  completion: "text generation",
  vision: "image understanding",
  embeddings: "embeddings",
  rerank: "reranking",
  speech_to_text: "speech-to-text",
  text_to_speech: "text-to-speech",
  image_generation: "image generation",
};

/** The words by which operators declare what an endpoint is for. */
const DECLARED: Partial<Record<Capability, string>> = {
  chat: "chat_completion",
  completion: "chat_completion",
  vision: "chat_completion",
  embeddings: "embeddings",
  image_generation: "image_generation",
  speech_to_text: "audio_transcription",
  text_to_speech: "audio_speech",
};

/** The declaration of endpoints for which an operator declared nothing. */
const UNDECLARED = "chat_completion";

/** Whether an operator declared that an endpoint is for the requests of a route. */
export function isDeclared(
  { facts }: Pick<CapabilitySource, "facts">,
  route: InferenceRoute,
): boolean {
  const word = DECLARED[route.capability];
  return word !== undefined && word !== UNDECLARED && facts.capabilities.includes(word);
}

/** What a model must be able to do for a request of a route, with or without images in it. */
export function capabilityOf({ capability }: InferenceRoute, hasImages: boolean): Capability {
  const sees = capability === "chat" || capability === "completion";
  return hasImages && sees ? "vision" : capability;
}

/**
 * Whether a model on an endpoint may be able to do something. By the first that applies:
 *
 * 1. The endpoint says that the model cannot, or its name says so: no.
 * 2. An operator declared what the endpoint is for, and this is not among it: no.
 * 3. Otherwise: yes. A model about which nothing is known is tried.
 *
 * `id` is how the balancer lists the model. To see images, it must be able to chat as well.
 */
export function isCapable(endpoint: CapabilitySource, id: string, capability: Capability): boolean {
  const { lacks: said } = modelEntryOf(endpoint, id);
  const lacks = Array.isArray(said) ? said : [];
  if (lacks.includes(capability)) return false;
  const chats = capability === "vision" || capability === "completion";
  if (chats && lacks.includes("chat")) return false;
  const { capabilities } = endpoint.facts;
  const word = DECLARED[capability];
  const declared = capabilities.length !== 1 || capabilities[0] !== UNDECLARED;
  return !declared || word === undefined || capabilities.includes(word);
}

/** What of an endpoint tells its models' capabilities. */
export type CapabilitySource = Pick<Endpoint, "models" | "served"> & {
  facts: Pick<Endpoint["facts"], "capabilities">;
};

/**
 * The candidates that may be able to do it. Throws 400 `model_not_supported` (images) or
 * `model_capability_mismatch` if there are candidates and none of them is. `model` is the name that
 * the client wrote.
 */
export function requireCapability<C extends CapabilitySource>(
  { model, id, capability }: { model: string; id: string; capability: Capability },
  candidates: readonly C[],
): readonly C[] {
  if (candidates.length === 0) return candidates;
  const able = candidates.filter((candidate) => isCapable(candidate, id, capability));
  if (able.length > 0) return able;
  throw notCapable(model, capability);
}

/** 400 for what a model cannot do. */
export function notCapable(model: string, capability: Capability): ApiError {
  const shown = model.slice(0, 200);
  const message = `Model '${shown}' does not support ${NAMES[capability]}: see \
GET /v1/models for what each model can do.`;
  const code = capability === "vision" ? "model_not_supported" : "model_capability_mismatch";
  return new ApiError("invalid_request", message, { code, param: "model" });
}
