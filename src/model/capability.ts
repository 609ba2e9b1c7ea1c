import { leadingEntries } from "./ggufreader.ts";

/** How a model condenses a text into one vector; a `rank` model scores pairs of texts instead. */
export type Pooling = "mean" | "cls" | "last" | "rank";

/** llama.cpp's numbers, `enum llama_pooling_type` in include/llama.h; 0 is none. */
const POOLINGS: Record<number, Pooling> = { 1: "mean", 2: "cls", 3: "last", 4: "rank" };

/** The architecture's parameters come before the vocabulary: they are within the first bytes. */
const BYTES_MAX = 1024 * 1024;

/**
 * The pooling that a GGUF file's metadata names (`<architecture>.pooling_type`): dedicated
 * embedding and rerank models set it. Undefined for all other models and for files that cannot be
 * read, which the engine itself explains better.
 */
export async function readPooling(path: string): Promise<Pooling | undefined> {
  for await (const [key, value] of leadingEntries(path, BYTES_MAX)) {
    if (key.endsWith(".pooling_type") && typeof value === "number") return POOLINGS[value];
  }
  return undefined;
}

/** Which kinds of media a projector makes a model read. */
export interface ProjectorCapability {
  vision: boolean;
  audio: boolean;
}

/**
 * The media that a projector's metadata names (`clip.has_vision_encoder`,
 * `clip.has_audio_encoder`). The oldest projectors name none: they are for images.
 */
export async function readProjectorCapability(path: string): Promise<ProjectorCapability> {
  const named: Partial<ProjectorCapability> = {};
  for await (const [key, value] of leadingEntries(path, BYTES_MAX)) {
    const [, medium] = /^clip\.has_(vision|audio)_encoder$/.exec(key) ?? [];
    if (typeof value !== "boolean" || (medium !== "vision" && medium !== "audio")) continue;
    named[medium] = value;
  }
  const { audio = false, vision = !audio } = named;
  return { vision, audio };
}
