import {
  ggufRole,
  ggufStem,
  isGguf,
  isSameQuantization,
  localName,
  quantizationOf,
  splitPartName,
  splitPartOf,
} from "../model/filename.ts";
import type { RepoFile } from "./snapshot.ts";

/** A GGUF file, or all parts of a split one. */
export interface GgufVariant {
  /** The first one stands for all. */
  files: RepoFile[];
  quantization: string | null;
  sizeBytes: number;
}

/** The GGUF files of a repository by what they are for. */
export interface GgufFiles {
  variants: GgufVariant[];
  projectors: RepoFile[];
  adapters: RepoFile[];
  /** Parts that are not there, of split files that cannot be used therefore. */
  missing: string[];
}

/** Sorts GGUF files by their names. */
export function sortGguf(files: readonly RepoFile[]): GgufFiles {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const found: GgufFiles = { variants: [], projectors: [], adapters: [], missing: [] };
  const seen = new Set<string>();
  // A file without content is none: an upload that failed.
  for (const file of files.filter(({ path, size }) => isGguf(path) && size > 0)) {
    const role = ggufRole(localName(file.path));
    if (role === "projector") found.projectors.push(file);
    else if (role === "adapter") found.adapters.push(file);
    else {
      const first = splitPartOf(file.path) === undefined ? file.path : splitPartName(file.path, 1);
      if (seen.has(first)) continue;
      seen.add(first);
      const names = partsOf(file.path);
      const parts = names.flatMap((name) => byPath.get(name) ?? []);
      if (parts.length === names.length) found.variants.push(variantOf(parts));
      else found.missing.push(...names.filter((name) => !byPath.has(name)));
    }
  }
  return found;
}

/** More parts than any model has: a name that only looks like one of a split file. */
const PARTS_MAX = 1000;

/** The files that a file is one of: all parts of a split one, else itself. */
export function partsOf(path: string): string[] {
  const split = splitPartOf(path);
  if (split === undefined) return [path];
  const length = Math.min(split.parts, PARTS_MAX);
  return Array.from({ length }, (_, i) => splitPartName(path, i + 1));
}

function variantOf(files: RepoFile[]): GgufVariant {
  const quantization = quantizationOf(localName(files[0]?.path ?? "")) ?? null;
  return { files, quantization, sizeBytes: files.reduce((sum, { size }) => sum + size, 0) };
}

/** The variant that a node with enough memory takes: Q4_K_M, else the largest one. */
export function preferredOf(variants: readonly GgufVariant[]): GgufVariant | undefined {
  const usual = variants.find(({ quantization }) => isSameQuantization(quantization, "Q4_K_M"));
  return usual ?? [...variants].sort((a, b) => b.sizeBytes - a.sizeBytes)[0];
}

/** Precisions of projectors, best first: they are small, and F16 runs everywhere. */
const PROJECTORS = ["F16", "BF16", "Q8_0", "F32"];

/** The projector for weights: one that lies beside them before others, F16 before others. */
export function projectorFor(
  projectors: readonly RepoFile[],
  weights: RepoFile | undefined,
): RepoFile | undefined {
  const folder = folderOf(weights?.path ?? "");
  const rank = ({ path }: RepoFile) => {
    const at = PROJECTORS.indexOf(quantizationOf(localName(path))?.toUpperCase() ?? "");
    return (folderOf(path) === folder ? 0 : 100) + (at < 0 ? PROJECTORS.length : at);
  };
  return [...projectors].sort((a, b) => rank(a) - rank(b))[0];
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** The stem by which servers that were started with the file itself may name the model. */
export function stemOf(path: string): string {
  return ggufStem(localName(path));
}
