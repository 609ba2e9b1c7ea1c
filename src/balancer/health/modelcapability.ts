import { CAPABILITIES, type Capability, type CapabilityReport } from "../../wire/capability.ts";

/** Patterns of names of models that can do this and nothing else. */
const ONLY_BY_NAME: [RegExp, Capability][] = [
  [/^embed|[-_]embed/, "embeddings"],
  [/^whisper|[-_]whisper/, "speech_to_text"],
  [/^dall-e|^gpt-image|^stable-diffusion/, "image_generation"],
];

/** Patterns of names of models that are made for this; they may be able to do more. */
const MAIN_BY_NAME: [RegExp, Capability][] = [
  [/rerank/, "rerank"],
  [/^tts-|[-_]tts(?:[-_.:]|$)|^kokoro/, "text_to_speech"],
  [/^sdxl|^flux/, "image_generation"],
];

const VISION_NAME = /^llava|^qwen2?(\.\d+)?-vl|[-_]vision|-vl-/;

/** What a model can do, and what it cannot. A capability in neither list is unknown. */
export interface ModelCapabilities {
  capabilities: Capability[];
  lacks: Capability[];
}

/**
 * The capabilities of a model: what its server declares, else what its name suggests (the last part
 * of the path, in lower case). If the server declares only whether the model sees images, the name
 * decides about the rest.
 */
export function effectiveCapabilities(
  id: string,
  declared: CapabilityReport | undefined,
): ModelCapabilities {
  const named = capabilitiesByName((id.split("/").at(-1) ?? id).toLowerCase());
  if (declared === undefined) return named;
  const all = [...declared.has, ...declared.lacks];
  if (all.some((capability) => capability !== "vision")) {
    return { capabilities: declared.has, lacks: declared.lacks };
  }
  const rest = (list: Capability[]) => list.filter((capability) => capability !== "vision");
  const lacks = [...rest(named.lacks), ...declared.lacks];
  return { capabilities: [...rest(named.capabilities), ...declared.has], lacks };
}

function capabilitiesByName(name: string): ModelCapabilities {
  const [, only] = ONLY_BY_NAME.find(([pattern]) => pattern.test(name)) ?? [];
  if (only !== undefined) {
    return {
      capabilities: [only],
      lacks: CAPABILITIES.filter((capability) => capability !== only),
    };
  }
  const [, main] = MAIN_BY_NAME.find(([pattern]) => pattern.test(name)) ?? [];
  if (main !== undefined) return { capabilities: [main], lacks: [] };
  return { capabilities: VISION_NAME.test(name) ? ["chat", "vision"] : ["chat"], lacks: [] };
}
