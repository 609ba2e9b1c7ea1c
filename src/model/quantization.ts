import { folderOf, ggufStem, isGguf } from "./filename.ts";

/** Precisions as file names spell them: `Q4_K_M`, `iq2_xs`, `BF16`, `FP8`, `F16`, `MXFP4`. */
const PRECISION = /^(?:I?Q\d|BF\d|FP\d|F\d|MX[A-Z]*\d)[A-Z0-9_]*$/i;
/** What a model's name may have behind its colon, as in `org/name:Q4_K_M`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** The quantization that is taken where none is named. */
const PREFERRED = "Q4_K_M";
/** Precisions of projectors, best first: they are small, and F16 runs everywhere. */
const PROJECTOR_ORDER = ["F16", "BF16", "Q8_0", "F32"].map(
  (precision) => new RegExp(`[-._]${precision}\\b`, "i"),
);

/**
 * The quantization that a file's name tells, spelled as it is there: the last of its words, which
 * `-` and `.` separate, that looks like one. Undefined if none does.
 */
export function quantizationOf(name: string): string | undefined {
  const words = ggufStem(name).split(/[-.]/);
  return words.findLast((word) => PRECISION.test(word));
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

/** The weights to take where no quantization is named: Q4_K_M, else the largest. */
export function preferredQuantization<T extends QuantizedWeights>(
  choices: readonly T[],
): T | undefined {
  const preferred = choices.find(({ quantization }) => isSameQuantization(quantization, PREFERRED));
  return preferred ?? choices.toSorted((a, b) => b.sizeBytes - a.sizeBytes)[0];
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
