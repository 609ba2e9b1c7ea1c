import { isGguf } from "../model/filename.ts";
import { type GgufRole, ggufRole, ROLE_WORDS } from "../model/ggufrole.ts";
import { quantizationOf } from "../model/quantization.ts";
import { firstPartOf, type GgufWeights, groupParts } from "../model/splitfile.ts";
import type { ModelContent, Variant } from "../wire/registry.ts";
import type { RepoFile } from "./reposnapshot.ts";

/** A GGUF file, or all parts of a split one. */
export interface GgufVariant {
  /** Parts in their order; the first one stands for all. */
  files: RepoFile[];
  /** Path without ending and part number. */
  stem: string;
  quantization: string | null;
  sizeBytes: number;
}

/** The GGUF files of a repository by what they are for. */
export interface GgufFiles {
  variants: GgufVariant[];
  projectors: RepoFile[];
  adapters: RepoFile[];
  /** Other companions, which are left out, with what each is. */
  leftOut: { path: string; what: string }[];
  /** Split files of which parts do not exist, which are therefore no variants. */
  incomplete: GgufWeights<RepoFile>[];
}

/**
 * Sorts the GGUF files of a repository by name. Empty files are left out: failed uploads. The file
 * that a request names is a variant whatever its name says, but for projectors: nodes read what its
 * header says. So are all others where no name is that of a model.
 */
export function sortGguf(files: readonly RepoFile[], namedPath?: string): GgufFiles {
  const gguf = files.filter(({ path, size }) => isGguf(path) && size > 0);
  const roles = Map.groupBy(gguf, ({ path }) => roleOf(path, namedPath));
  const of = (role: GgufRole) => roles.get(role) ?? [];
  const models = [...of("model"), ...(of("model").length > 0 ? [] : of("imatrix"))];
  const weights = groupParts(models, pathOf);
  const companions = gguf.filter((file) => !models.includes(file));
  return {
    variants: weights.filter(({ missing }) => missing.length === 0).map(variantOf),
    projectors: of("projector"),
    adapters: of("adapter"),
    leftOut: companions.flatMap(({ path }) => {
      const role = ggufRole(path);
      return role === "projector" ? [] : [{ path, what: ROLE_WORDS[role] }];
    }),
    incomplete: weights.filter(({ missing }) => missing.length > 0),
  };
}

function roleOf(path: string, namedPath: string | undefined): GgufRole {
  const role = ggufRole(path);
  const isNamed = namedPath !== undefined && firstPartOf(path) === firstPartOf(namedPath);
  return isNamed && role !== "projector" ? "model" : role;
}

function variantOf({ files, stem, quantization }: GgufWeights<RepoFile>): GgufVariant {
  const sizeBytes = files.reduce((sum, { size }) => sum + size, 0);
  return { files, stem, quantization: quantization ?? null, sizeBytes };
}

function pathOf({ path }: RepoFile): string {
  return path;
}

/** A variant as the API shows it. */
export function variantView({ files, quantization, sizeBytes }: GgufVariant): Variant {
  return { quantization, filename: files[0]?.path ?? "", size_bytes: sizeBytes };
}

/** The content with the tags that names tell: earlier versions stored them without marks as UD. */
export function withOwnTags(content: ModelContent): ModelContent {
  const variants = content.variants.map((variant) => {
    return { ...variant, quantization: quantizationOf(variant.filename) ?? variant.quantization };
  });
  const [only] = variants;
  const quantization = only && content.quantization !== null ? only.quantization : null;
  return { ...content, variants, quantization: quantization ?? content.quantization };
}
