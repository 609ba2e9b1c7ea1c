import type { Capability } from "../../wire/capability.ts";
import { ApiError } from "../../wire/error.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import { type Endpoint, entryOf } from "./endpoint.ts";

/** How errors call what a model cannot do. */
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

/** What requests of a route need of a model, images aside. */
const BY_PATH: Record<string, Capability> = {
  "/v1/chat/completions": "chat",
  "/v1/completions": "completion",
  "/v1/responses": "chat",
  "/v1/messages": "chat",
  "/v1/messages/count_tokens": "chat",
  "/v1/embeddings": "embeddings",
  "/v1/rerank": "rerank",
  "/v1/audio/transcriptions": "speech_to_text",
  "/v1/audio/translations": "speech_to_text",
  "/v1/audio/speech": "text_to_speech",
  "/v1/images/generations": "image_generation",
  "/v1/images/edits": "image_generation",
  "/v1/images/variations": "image_generation",
  "/api/chat": "chat",
  "/api/generate": "completion",
  "/api/embed": "embeddings",
  "/api/embeddings": "embeddings",
};

/** What an operator calls them when declaring what an endpoint is for. */
const DECLARED: Partial<Record<Capability, string>> = {
  chat: "chat_completion",
  completion: "chat_completion",
  vision: "chat_completion",
  embeddings: "embeddings",
  image_generation: "image_generation",
  speech_to_text: "audio_transcription",
  text_to_speech: "audio_speech",
};

/** Declared of every endpoint of which nobody declared anything. */
const UNDECLARED = "chat_completion";

/** Whether an operator declared that an endpoint is for the requests of a route. */
export function isDeclared({ facts }: Pick<Candidate, "facts">, path: string): boolean {
  const ability = BY_PATH[path];
  const word = ability === undefined ? undefined : DECLARED[ability];
  return word !== undefined && word !== UNDECLARED && facts.capabilities.includes(word);
}

/** What a request needs of its model: undefined for a route that none is known of. */
export function capabilityOf(path: string, hasImages: boolean): Capability | undefined {
  const ability = BY_PATH[path];
  const sees = ability === "chat" || ability === "completion";
  return hasImages && sees ? "vision" : ability;
}

/**
 * Whether a model on an endpoint may be able to do something. By the first that applies:
 *
 * 1. The endpoint says that the model cannot, or its name says so: no.
 * 2. An operator declared what the endpoint is for, and this is not among it: no.
 * 3. Otherwise: yes. What nothing is known of is tried.
 *
 * `id` is how the balancer lists the model. To see images, it must be able to chat as well.
 */
export function isCapable(endpoint: Candidate, id: string, ability: Capability): boolean {
  const { lacks: said } = entryOf(endpoint, id);
  const lacks = Array.isArray(said) ? said : [];
  if (lacks.includes(ability)) return false;
  const chats = ability === "vision" || ability === "completion";
  if (chats && lacks.includes("chat")) return false;
  const { capabilities } = endpoint.facts;
  const word = DECLARED[ability];
  const declared = capabilities.length !== 1 || capabilities[0] !== UNDECLARED;
  return !declared || word === undefined || capabilities.includes(word);
}

/** What is read of an endpoint. */
export type Candidate = Pick<Endpoint, "models" | "served"> & {
  facts: Pick<Endpoint["facts"], "capabilities">;
};

/**
 * The candidates that may be able to do it. Throws 400 `model_not_supported` (images) or
 * `model_capability_mismatch` if there are candidates and none of them is. `model` is the name that
 * the client wrote.
 */
export function requireCapability<C extends Candidate>(
  { model, id, ability }: { model: string; id: string; ability: Capability | undefined },
  candidates: readonly C[],
): readonly C[] {
  if (ability === undefined || candidates.length === 0) return candidates;
  const able = candidates.filter((candidate) => isCapable(candidate, id, ability));
  if (able.length > 0) return able;
  throw notCapable(model, ability);
}

/** The refusal of what a model cannot do. */
export function notCapable(model: string, ability: Capability): ApiError {
  const shown = model.slice(0, 200);
  const message = `Model '${shown}' does not support ${NAMES[ability]}. GET /v1/models tells what \
each model can do.`;
  const code = ability === "vision" ? "model_not_supported" : "model_capability_mismatch";
  return new ApiError("invalid_request", message, { code, param: "model" });
}

const needs = new Map<string, Requirement<Endpoint>>();

/** The need of an ability beside another one of the route, if there is that; made once each. */
export function capabilityRequirement(
  ability: Capability,
  other?: Requirement<Endpoint>,
): Requirement<Endpoint> {
  const key = other === undefined ? ability : `${other.key} ${ability}`;
  let need = needs.get(key);
  if (need === undefined) {
    need = {
      key,
      isMetBy: (endpoint, id) =>
        isCapable(endpoint, id, ability) && (other === undefined || other.isMetBy(endpoint, id)),
    };
    needs.set(key, need);
  }
  return need;
}
