import { z } from "zod";

/** The capabilities that a model can have. */
export const CAPABILITIES = [
  ...(["chat", "completion", "vision", "embeddings", "rerank"] as const),
  ...(["speech_to_text", "text_to_speech", "image_generation"] as const),
] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** `capabilities` of an entry of `GET /v1/models`. */
export interface CapabilitiesObject {
  chat_completion: boolean;
  completion: boolean;
  embeddings: boolean;
  /** Always false. */
  fine_tune: boolean;
  /** Always true. */
  inference: boolean;
  text_to_speech: boolean;
  speech_to_text: boolean;
  image_generation: boolean;
  image_understanding: boolean;
  rerank: boolean;
}

/** The object for a list of capabilities; a model that chats can complete texts, too. */
export function capabilitiesObject(list: readonly string[]): CapabilitiesObject {
  const has = (capability: Capability) => list.includes(capability);
  return {
    chat_completion: has("chat"),
    completion: has("chat") || has("completion"),
    embeddings: has("embeddings"),
    fine_tune: false,
    inference: true,
    text_to_speech: has("text_to_speech"),
    speech_to_text: has("speech_to_text"),
    image_generation: has("image_generation"),
    image_understanding: has("vision"),
    rerank: has("rerank"),
  };
}

/** A server's report on a model; nothing is known of capabilities in neither list. */
export interface CapabilityReport {
  has: Capability[];
  lacks: Capability[];
}

/** Our capabilities by the names that servers have for them. */
const CAPABILITY_NAMES: Record<string, Capability> = {
  ...{ chat: "chat", chat_completion: "chat", completion_chat: "chat", completion: "chat" },
  ...{ vision: "vision", image_understanding: "vision", multimodal: "vision", image: "vision" },
  ...{ embedding: "embeddings", embeddings: "embeddings", rerank: "rerank" },
  ...{ speech_to_text: "speech_to_text", audio_transcription: "speech_to_text" },
  ...{ text_to_speech: "text_to_speech", audio_speech: "text_to_speech" },
  image_generation: "image_generation",
};

const Names = z.array(z.string());
const Flags = z.record(z.string(), z.unknown());

/**
 * Reads what a server reports about a model. An object of booleans (llmlb, LM Studio, Mistral) says
 * what the model has and what it lacks. A list of names (Ollama, llama-server) says what it has; a
 * chat model without `vision` in the list lacks it. Undefined for anything else.
 */
export function readCapabilities(value: unknown): CapabilityReport | undefined {
  const names = Names.safeParse(value).data;
  if (names !== undefined) return reportOfNames(names);
  const flags = Flags.safeParse(value).data;
  if (flags === undefined) return undefined;
  const report: CapabilityReport = { has: [], lacks: [] };
  for (const [name, flag] of Object.entries(flags)) {
    const capability = capabilityOf(name);
    // `completion` means another thing beside `chat_completion` than in a list of names.
    if (capability === undefined || name === "completion" || typeof flag !== "boolean") continue;
    add(flag ? report.has : report.lacks, capability);
  }
  return report.has.length + report.lacks.length === 0 ? undefined : report;
}

function reportOfNames(names: readonly string[]): CapabilityReport | undefined {
  const has: Capability[] = [];
  for (const name of names) add(has, capabilityOf(name));
  if (has.length === 0) return undefined;
  const lacks: Capability[] = [];
  if (has.includes("chat") && !has.includes("vision")) lacks.push("vision");
  // Ollama makes embeddings with any model, but chats only with those that list it.
  if (has.includes("embeddings") && !has.includes("chat")) lacks.push("chat", "vision");
  return { has, lacks };
}

function capabilityOf(name: string): Capability | undefined {
  return Object.hasOwn(CAPABILITY_NAMES, name) ? CAPABILITY_NAMES[name] : undefined;
}

function add(list: Capability[], capability: Capability | undefined): void {
  if (capability !== undefined && !list.includes(capability)) list.push(capability);
}
