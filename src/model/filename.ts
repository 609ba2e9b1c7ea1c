/** The part of a split GGUF file that a name stands for, e.g. `x-00002-of-00005.gguf`. */
export interface SplitPart {
  /** The name without number and ending. */
  stem: string;
  part: number;
  parts: number;
}

/** What a GGUF file is for, as far as its name tells. */
export type GgufRole = "model" | "projector" | "adapter";

const SPLIT = /^(.+)-(\d{5})-of-(\d{5})$/;
/** Precisions as file names spell them: `Q4_K_M`, `IQ2_XS`, `BF16`, `FP8`, `F16`, `MXFP4`. */
const QUANTIZATION = /^(?:I?Q\d|BF\d|FP\d|F\d|MX[A-Z]*\d)[A-Z0-9_]*$/i;

/** Whether a name ends in `.gguf`, however that is spelled. */
export function isGguf(name: string): boolean {
  return /.\.gguf$/i.test(name);
}

/** The name without `.gguf` and without the number of a part. */
export function ggufStem(name: string): string {
  return splitPartOf(name)?.stem ?? name.replace(/\.gguf$/i, "");
}

/** Which part of a split file the name stands for; undefined for a file that is whole. */
export function splitPartOf(name: string): SplitPart | undefined {
  const [, stem, part, parts] = SPLIT.exec(name.replace(/\.gguf$/i, "")) ?? [];
  if (stem === undefined || !isGguf(name)) return undefined;
  const numbers = { stem, part: Number(part), parts: Number(parts) };
  return numbers.part >= 1 && numbers.part <= numbers.parts ? numbers : undefined;
}

/** The name of another part of the same split file; parts are counted from 1. */
export function splitPartName(name: string, part: number): string {
  const number = String(part).padStart(5, "0");
  return name.replace(/-\d{5}(-of-\d{5}\.gguf)$/i, `-${number}$1`);
}

/**
 * The quantization that a file's name tells, in its spelling: the last of its words, parted by `-`
 * and `.`, that looks like one. Undefined if none does.
 */
export function quantizationOf(name: string): string | undefined {
  const words = ggufStem(name).split(/[-.]/);
  return words.findLast((word) => QUANTIZATION.test(word));
}

/** Whether two spellings mean the same quantization: `q4_k_m` and `Q4_K_M` do. */
export function isSameQuantization(a: string | null | undefined, b: string): boolean {
  return a?.toUpperCase() === b.toUpperCase();
}

/** Image projectors and LoRA adapters are GGUF files too; their names say what they are. */
export function ggufRole(name: string): GgufRole {
  const words = ggufStem(name).toLowerCase().split(/[-._]/);
  if (words.includes("mmproj")) return "projector";
  return words.includes("lora") ? "adapter" : "model";
}

/** Files that only one platform can use. */
const PLATFORM_FILES: Record<string, string> = {
  "model.metal.bin": "darwin",
  "model.directml.bin": "win32",
  "model.dml.bin": "win32",
};

/** Whether a file is of use on a platform (`process.platform`). */
export function fitsPlatform(name: string, platform: string): boolean {
  const only = PLATFORM_FILES[name.toLowerCase()];
  return only === undefined || only === platform;
}

/** The name under which a node saves an artifact: the last part of its path. */
export function localName(filename: string): string {
  return filename.slice(filename.lastIndexOf("/") + 1);
}
