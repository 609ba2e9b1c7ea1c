import { folderOf, ggufStem, isGguf, localName } from "./filename.ts";
import type { GgufMetadata } from "./gguf.ts";

/** Precisions as file names spell them: `Q4_K_M`, `iq2_xs`, `BF16`, `FP8`, `F16`, `MXFP4`. */
const PRECISION = /^(?:[IT]?Q\d|BF\d|(?:NV)?FP\d|F\d|MX[A-Z]*\d)[A-Z0-9_]*$/i;
/** The same behind an underscore, `m_Q4_K_M`, where the rest must look like one as well. */
const AFTER_UNDERSCORE =
  /_((?:[IT]?Q\d|BF\d|(?:NV)?FP\d|F\d|MX[A-Z]*\d)[A-Z0-9]{0,4}(?:_[A-Z0-9]{1,4})*)$/i;
/** How authors mark their own ways of quantizing: such files are others than the plain ones. */
const MARK = /^(?:UD|i1)$/i;
/** What a model's name may have behind its colon, as in `org/name:Q4_K_M`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** The quantization that is taken where none is named. */
const PREFERRED = "Q4_K_M";
/** Precisions of projectors, best first: they are small, and F16 runs everywhere. */
const PROJECTOR_ORDER = ["F16", "BF16", "Q8_0", "F32"].map(
  (precision) => new RegExp(`[-._]${precision}\\b`, "i"),
);

/**
 * The tag that a file's name tells, spelled as it is there: the last of its words that looks like a
 * quantization, with the mark in front of it (`UD-Q4_K_XL`, `i1-Q4_K_M`), as the hub's pages print
 * it. If the file's own name has none, that of its folder counts. Undefined if there is none.
 */
export function quantizationOf(path: string): string | undefined {
  const folder = folderOf(path).slice(0, -1);
  return tagIn(ggufStem(localName(path))) ?? tagIn(localName(folder));
}

function tagIn(stem: string): string | undefined {
  const words = [...stem.matchAll(/[A-Za-z0-9_]+/g)].map(([word]) => word);
  for (let at = words.length - 1; at >= 0; at -= 1) {
    const word = words[at] ?? "";
    const tag = PRECISION.test(word) ? word : AFTER_UNDERSCORE.exec(word)?.[1];
    if (tag === undefined) continue;
    const mark = words[at - 1] ?? "";
    const marked = `${mark}-${word}`;
    return tag === word && MARK.test(mark) && stem.includes(marked) ? marked : tag;
  }
  return undefined;
}

/** The path of weights without their tag, in lower case: the same for all of one model. */
export function untaggedStem(path: string): string {
  const stem = ggufStem(localName(path)).toLowerCase();
  const at = stem.lastIndexOf(tagIn(stem) ?? "\0");
  return (at < 0 ? stem : stem.slice(0, at)).replace(/[^\p{L}\p{N}]+$/u, "");
}

/** Weights that a tag may name. */
interface TaggedWeights {
  /** The path without ending and part number. */
  stem: string;
  quantization?: string | null | undefined;
}

/**
 * The weights that a tag names, in any case: those that have it; else those whose name or folder
 * ends in it behind a separator, as with schemes that are new and marks that are left out
 * (`Q4_K_XL` for `UD-Q4_K_XL`).
 */
export function weightsWithTag<T extends TaggedWeights>(all: readonly T[], tag: string): T[] {
  const own = all.filter(({ quantization }) => isSameQuantization(quantization, tag));
  return own.length > 0 ? own : all.filter(({ stem }) => endsInTag(stem, tag));
}

function endsInTag(stem: string, tag: string): boolean {
  const key = tag.toLowerCase();
  const names = [localName(stem), localName(folderOf(stem).slice(0, -1))];
  return names.some((name) => {
    const end = name.slice(-key.length).toLowerCase();
    return end === key && !/[\p{L}\p{N}]$/u.test(name.slice(0, -key.length));
  });
}

/** The scheme in a tag, without its mark: that of `UD-Q4_K_XL` is `Q4_K_XL`. */
function schemeOf(tag: string): string {
  const [mark = "", ...rest] = tag.split("-");
  return rest.length > 0 && MARK.test(mark) ? rest.join("-") : tag;
}

/** The tags that mean one of several weights: its own, and its scheme where no other has that. */
export function clearTags(own: string, all: readonly string[]): string[] {
  const scheme = schemeOf(own);
  const rivals = all.filter((other) => isSameQuantization(schemeOf(other), scheme));
  return scheme === own || new Set(rivals.map(upper)).size > 1 ? [own] : [own, scheme];
}

function upper(text: string): string {
  return text.toUpperCase();
}

/** `general.file_type` as quantizations, `enum llama_ftype` in include/llama.h. */
const FILE_TYPES: Record<number, string> = {
  ...{ 0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K" },
  ...{ 11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S" },
  ...{ 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS" },
  ...{ 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S" },
  ...{ 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0" },
  ...{ 38: "MXFP4" },
};

/** The quantization that a GGUF file's header tells; undefined if it has none that is known. */
export function quantizationInHeader(metadata: GgufMetadata | undefined): string | undefined {
  const type = metadata?.get("general.file_type");
  return typeof type === "number" ? FILE_TYPES[type] : undefined;
}

/** Whether a text can name a quantization behind a colon, such as `Q4_K_M`, or a tag (`20b`). */
export function isQuantizationName(text: string): boolean {
  return NAME.test(text);
}

/** Whether two names mean the same quantization: `q4_k_m` is `Q4_K_M`. */
export function isSameQuantization(
  a: string | null | undefined,
  b: string | null | undefined,
): boolean {
  return a?.toUpperCase() === b?.toUpperCase();
}

/** The quantizations that the names of GGUF files tell: each once, as the first name spells it. */
export function distinctQuantizations(names: readonly string[]): string[] {
  const all = names.filter(isGguf).flatMap((name) => quantizationOf(name) ?? []);
  const firstOf = (one: string) => all.findIndex((other) => isSameQuantization(one, other));
  return all.filter((one, at) => firstOf(one) === at);
}

/** Weights among which one is chosen. */
interface QuantizedWeights {
  quantization: string | null;
  sizeBytes: number;
}

/** The weights to take where none is named: Q4_K_M, plain before marked; else the largest. */
export function preferredQuantization<T extends QuantizedWeights>(
  choices: readonly T[],
): T | undefined {
  const preferred = choices.find(({ quantization }) => isSameQuantization(quantization, PREFERRED));
  const marked = choices.find(({ quantization }) => {
    return quantization !== null && isSameQuantization(schemeOf(quantization), PREFERRED);
  });
  return preferred ?? marked ?? choices.toSorted((a, b) => b.sizeBytes - a.sizeBytes)[0];
}

/**
 * The projector to take with weights, by the paths of both: one from the folder of the weights
 * before others, then F16, BF16, Q8_0, F32, anything else. Undefined if there is none.
 */
export function preferredProjector<T>(
  projectors: readonly T[],
  pathOf: (projector: T) => string,
  weightsPath: string,
): T | undefined {
  const folder = folderOf(weightsPath);
  const rank = (projector: T) => {
    const path = pathOf(projector);
    const at = PROJECTOR_ORDER.findIndex((precision) => precision.test(path));
    const elsewhere = folderOf(path) === folder ? 0 : PROJECTOR_ORDER.length + 1;
    return elsewhere + (at < 0 ? PROJECTOR_ORDER.length : at);
  };
  return projectors.toSorted((a, b) => rank(a) - rank(b))[0];
}
