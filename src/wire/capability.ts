import { z } from "zod";

/** What a model can do. */
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
  /** Never. */
  fine_tune: boolean;
  /** Always. */
  inference: boolean;
  text_to_speech: boolean;
  speech_to_text: boolean;
  image_generation: boolean;
  image_understanding: boolean;
  rerank: boolean;
}

/** The object that says which of the abilities a model has; whoever chats completes, too. */
export function capabilitiesObject(list: readonly string[]): CapabilitiesObject {
  const has = (ability: Capability) => list.includes(ability);
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

/** What is known of a model's abilities; of those in neither list, nothing is. */
export interface CapabilityReport {
  has: Capability[];
  lacks: Capability[];
}

/** Names by which servers call abilities, ours among them. */
const WORDS: Record<string, Capability> = {
  ...{ chat: "chat", chat_completion: "chat", completion_chat: "chat", completion: "chat" },
  ...{ vision: "vision", image_understanding: "vision", multimodal: "vision", image: "vision" },
  ...{ embedding: "embeddings", embeddings: "embeddings", rerank: "rerank" },
  ...{ speech_to_text: "speech_to_text", audio_transcription: "speech_to_text" },
  ...{ text_to_speech: "text_to_speech", audio_speech: "text_to_speech" },
  image_generation: "image_generation",
};

const Words = z.array(z.string());
const Flags = z.record(z.string(), z.unknown());

/**
 * Reads what a server says of a model: an object of booleans (llmlb, LM Studio, Mistral) says what
 * it has and what not; a list of words (Ollama, llama-server) what it has, and that it sees no
 * images if it does not say so. Undefined for anything else.
 */
export function readCapabilities(said: unknown): CapabilityReport | undefined {
  const words = Words.safeParse(said).data;
  if (words !== undefined) return fromWords(words);
  const flags = Flags.safeParse(said).data;
  if (flags === undefined) return undefined;
  const known: CapabilityReport = { has: [], lacks: [] };
  for (const [word, value] of Object.entries(flags)) {
    const ability = abilityOf(word);
    // `completion` beside `chat_completion` says something else than in a list of words.
    if (ability === undefined || word === "completion" || typeof value !== "boolean") continue;
    add(value ? known.has : known.lacks, ability);
  }
  return known.has.length + known.lacks.length === 0 ? undefined : known;
}

function fromWords(words: readonly string[]): CapabilityReport | undefined {
  const has: Capability[] = [];
  for (const word of words) add(has, abilityOf(word));
  if (has.length === 0) return undefined;
  const lacks: Capability[] = [];
  if (has.includes("chat") && !has.includes("vision")) lacks.push("vision");
  // Ollama embeds with any model, but chats only with those that say so.
  if (has.includes("embeddings") && !has.includes("chat")) lacks.push("chat", "vision");
  return { has, lacks };
}

function abilityOf(word: string): Capability | undefined {
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

function add(list: Capability[], ability: Capability | undefined): void {
  if (ability !== undefined && !list.includes(ability)) list.push(ability);
}
