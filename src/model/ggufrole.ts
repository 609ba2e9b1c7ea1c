import { ggufStem, localName } from "./filename.ts";
import type { GgufMetadata } from "./gguf.ts";

/**
 * What a GGUF file is for. All but models are companions: they belong to a model, or to the making
 * of one, and are never taken for it.
 */
export type GgufRole =
  | "model"
  | "projector"
  | "adapter"
  | "drafter"
  | "imatrix"
  | "vocabulary"
  | "other";

/** Each role in words that fit behind "it is". */
export const ROLE_WORDS: Record<GgufRole, string> = {
  model: "a model",
  projector: "an image projector",
  adapter: "an adapter (LoRA)",
  drafter: "a drafter (MTP head) for another model",
  imatrix: "an importance matrix, from which quantizations are made",
  vocabulary: "a vocabulary without weights",
  other: "no model, as its header says",
};

/** Names of projectors that do not have `mmproj` in them: what they are stands at the end. */
const ENCODER =
  /(?:^|[-_. ])(?:vision|audio)[-_. ](?:encoder|tower|projector)(?:[-_.][bfpq]+\d\w*)?$/;

/** What a GGUF file is for, as far as its name tells. */
export function ggufRole(path: string): GgufRole {
  const stem = ggufStem(localName(path)).toLowerCase();
  const words = stem.split(/[-._ ]/);
  if (words.includes("mmproj") || ENCODER.test(stem)) return "projector";
  if (words.length > 1 && words[0] === "mtp") return "drafter";
  if (stem.includes("imatrix")) return "imatrix";
  if (stem.startsWith("ggml-vocab") || words[0] === "vocab" || words.at(-1) === "vocab") {
    return "vocabulary";
  }
  return words.includes("lora") ? "adapter" : "model";
}

/** Whether a header may say that a file with such a name is a model all the same. */
const CORRECTABLE: ReadonlySet<GgufRole> = new Set<GgufRole>(["adapter", "imatrix"]);

/**
 * What a GGUF file is for by its header (`general.type`, `general.architecture`), which goes before
 * its name; by the name alone where there is no header, or it says nothing of it. Drafters and
 * vocabularies are models to their headers, and are known by name only.
 */
export function ggufRoleIn(path: string, metadata: GgufMetadata | undefined): GgufRole {
  const named = ggufRole(path);
  const type = metadata?.get("general.type");
  if (type === "adapter" || type === "imatrix") return type;
  // Older projectors say that they are models.
  if (type === "mmproj" || metadata?.get("general.architecture") === "clip") return "projector";
  if (type === "vocab") return "vocabulary";
  // Before there were types, all had models in them; llama.cpp takes no adapter without one.
  const isOld = type === undefined && metadata?.has("general.architecture") === true;
  if (type === undefined && !isOld) return named;
  if (type !== "model" && !isOld) return named === "model" ? "other" : named;
  return CORRECTABLE.has(named) ? "model" : named;
}
