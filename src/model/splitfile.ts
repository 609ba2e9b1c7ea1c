import { ggufStem, splitPartName, splitPartOf } from "./filename.ts";
import { quantizationOf } from "./quantization.ts";

/** The weights in one GGUF file, or in all parts of a split one. */
export interface GgufWeights<File> {
  /** Path of the file; of a split one, that of its first part. */
  path: string;
  /** The path without ending and part number. */
  stem: string;
  /** The files that exist, parts in their order; the engine is given the first one. */
  files: File[];
  /** As the name of the file, else of its folder, spells it. */
  quantization: string | undefined;
  /** Paths of parts that do not exist: the weights cannot be used without them. */
  missing: string[];
}

/** Puts the parts of split GGUF files together. Files without parts stay alone; the order stays. */
export function groupParts<File>(
  files: readonly File[],
  pathOf: (file: File) => string,
): GgufWeights<File>[] {
  const byPath = new Map(files.map((file) => [pathOf(file), file]));
  const first = new Set([...byPath.keys()].map(firstPartOf));
  return [...first].map((path) => {
    const parts = partPathsOf(path);
    return {
      path,
      stem: ggufStem(path),
      files: parts.flatMap((part) => byPath.get(part) ?? []),
      quantization: quantizationOf(path),
      missing: parts.filter((part) => !byPath.has(part)),
    };
  });
}

/** The path of a split file's first part; any other path as it is. */
export function firstPartOf(path: string): string {
  return splitPartOf(path) === undefined ? path : splitPartName(path, 1);
}

/** No model has more parts: with a higher number a name only looks like that of a part. */
const PARTS_MAX = 1000;

/** The paths of all parts of a split file, whether they exist or not; any other path alone. */
export function partPathsOf(path: string): string[] {
  const split = splitPartOf(path);
  if (split === undefined) return [path];
  const length = Math.min(split.parts, PARTS_MAX);
  return Array.from({ length }, (_, i) => splitPartName(path, i + 1));
}
