import { ggufRole, isGguf, localName } from "../model/filename.ts";
import { groupParts } from "../model/splitfile.ts";
import type { Variant } from "../wire/registry.ts";
import type { RepoFile } from "./reposnapshot.ts";

/** A GGUF file, or all parts of a split one. */
export interface GgufVariant {
  /** Parts in their order; the first one stands for all. */
  files: RepoFile[];
  quantization: string | null;
  sizeBytes: number;
}

/** The GGUF files of a repository by what they are for. */
export interface GgufFiles {
  variants: GgufVariant[];
  projectors: RepoFile[];
  adapters: RepoFile[];
  /** Paths of the parts that do not exist, of split files which are therefore no variants. */
  missing: string[];
}

/** Sorts the GGUF files of a repository by name. Empty files are left out: failed uploads. */
export function sortGguf(files: readonly RepoFile[]): GgufFiles {
  const gguf = files.filter(({ path, size }) => isGguf(path) && size > 0);
  const byRole = Map.groupBy(gguf, ({ path }) => ggufRole(localName(path)));
  const weights = groupParts(byRole.get("model") ?? [], ({ path }) => path);
  return {
    variants: weights
      .filter(({ missing }) => missing.length === 0)
      .map(({ files: parts, quantization = null }) => {
        const sizeBytes = parts.reduce((sum, { size }) => sum + size, 0);
        return { files: parts, quantization, sizeBytes };
      }),
    projectors: byRole.get("projector") ?? [],
    adapters: byRole.get("adapter") ?? [],
    missing: weights.flatMap(({ missing }) => missing),
  };
}

/** A variant as the API shows it. */
export function variantView({ files, quantization, sizeBytes }: GgufVariant): Variant {
  return { quantization, filename: files[0]?.path ?? "", size_bytes: sizeBytes };
}
