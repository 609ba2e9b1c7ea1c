import { isGguf, localName } from "../model/filename.ts";
import {
  isSameQuantization,
  preferredProjector,
  preferredQuantization,
} from "../model/quantization.ts";
import {
  isSafetensors,
  isSafetensorsIndex,
  type SafetensorsWeights,
} from "../model/safetensors.ts";
import { firstPartOf } from "../model/splitfile.ts";
import { ApiError } from "../wire/error.ts";
import { isSafePath } from "../wire/manifest.ts";
import type { ModelContent } from "../wire/registry.ts";
import { type GgufVariant, sortGguf } from "./ggufvariant.ts";
import type { Reference } from "./reference.ts";
import type { RepoFile, RepoSnapshot } from "./reposnapshot.ts";
import { adapterOf, chooseSafetensors, namedSafetensors } from "./safetensors.ts";

/** The files of a repository that are a model, as far as their names tell. */
export interface RepoChoice {
  kind: ModelContent["kind"];
  /** The file that the request names; of a split file, the first part. Part of the model's id. */
  filename: string | null;
  variants: GgufVariant[];
  projector: RepoFile | undefined;
  safetensors: SafetensorsWeights<RepoFile> | undefined;
  adapter: RepoFile[];
  warnings: string[];
}

/** Which file of a repository a request names, if any. */
type FileReference = Pick<Reference, "filename" | "quantization">;

/**
 * Which files of a repository are the model.
 *
 * 1. A file or a quantization that is named: that one alone.
 * 2. All GGUF variants (the node chooses) and the safetensors, if they are clear.
 * 3. Else an adapter.
 *
 * Throws 400 where nothing can be chosen, 404 for a file that is not there.
 */
export function chooseRepoFiles(
  { files: listed }: RepoSnapshot,
  request: FileReference,
): RepoChoice {
  const files = listed.filter(({ path }) => isSafePath(path));
  const { filename, quantization } = request;
  if (filename !== undefined) return chooseNamed(files, filename);
  if (quantization === undefined) return chooseAll(files);
  return chooseNamed(files, pathOfQuantization(files, quantization));
}

/** The path of the only GGUF file with a quantization. */
function pathOfQuantization(files: RepoFile[], quantization: string): string {
  const { variants } = sortGguf(files);
  const [first, ...others] = variants.filter((one) => {
    return isSameQuantization(one.quantization, quantization);
  });
  if (first === undefined) {
    const all = variants.map((one) => one.quantization ?? "none").join(", ") || "none";
    throw notFound(`${quantization} is not among its GGUF files: ${all}`);
  }
  if (others.length > 0) throw unsuitable("Multiple GGUF files found; specify filename");
  return first.files[0]?.path ?? "";
}

function chooseAll(files: RepoFile[]): RepoChoice {
  const gguf = sortGguf(files);
  const warnings: string[] = [];
  const { variants, dropped } = withoutCollisions(gguf.variants);
  if (dropped.length > 0) {
    const names = dropped.join(", ");
    warnings.push(`Files with the same name in other folders were left out: ${names}. \
Register them by filename.`);
  }
  warnings.push(...twinWarnings(variants));
  if (gguf.missing.length > 0) {
    warnings.push(`Parts of a split GGUF file are missing: ${gguf.missing.slice(0, 5).join(", ")}`);
  }
  const chosen = chooseSafetensors(files);
  const hasConfig = named(files, "config.json") && named(files, "tokenizer.json");
  const problem =
    typeof chosen === "string" || chosen === undefined
      ? chosen
      : hasConfig
        ? undefined
        : "config.json and tokenizer.json are required for safetensors models";
  const safetensors = typeof chosen === "string" || problem !== undefined ? undefined : chosen;
  if (variants.length === 0 && safetensors === undefined) {
    const adapter = adapterOf(files) ?? (gguf.adapters.length > 0 ? gguf.adapters : undefined);
    if (adapter !== undefined) return adapterChoice(adapter);
    if (problem !== undefined) throw unsuitable(problem);
    if (gguf.missing.length > 0) throw unsuitable(warnings.join(". "));
    throw unsuitable(nothingFound(files));
  }
  if (problem !== undefined) warnings.push(`Safetensors files were left out: ${problem}`);
  return {
    kind: safetensors === undefined ? "gguf" : variants.length === 0 ? "safetensors" : "mixed",
    filename: null,
    variants,
    projector: projectorFor(gguf.projectors, preferredQuantization(variants)),
    safetensors,
    adapter: [],
    warnings,
  };
}

function chooseNamed(files: RepoFile[], filename: string): RepoChoice {
  if (!isGguf(filename) && !isSafetensors(filename) && !isSafetensorsIndex(filename)) {
    throw unsuitable("filename must be a .gguf or .safetensors file");
  }
  if (!named(files, filename)) throw notFound("Specified file not found in repository");
  const nothing = { variants: [], projector: undefined, safetensors: undefined, adapter: [] };
  if (isGguf(filename)) {
    const { variants, projectors, missing } = sortGguf(files);
    const first = firstPartOf(filename);
    const variant = variants.find((one) => one.files[0]?.path === first);
    if (variant === undefined) {
      const why =
        missing.length > 0 && filename !== first
          ? `Parts of a split GGUF file are missing: ${missing.slice(0, 5).join(", ")}`
          : `${filename} is no model by itself: it belongs to one`;
      throw unsuitable(why);
    }
    const projector = projectorFor(projectors, variant);
    const kind = "gguf" as const;
    return { ...nothing, kind, filename: first, variants: [variant], projector, warnings: [] };
  }
  const safetensors = namedSafetensors(files, filename);
  if (safetensors === undefined || typeof safetensors === "string") {
    throw unsuitable(safetensors ?? "Specified file not found in repository");
  }
  if (!named(files, "config.json") || !named(files, "tokenizer.json")) {
    throw unsuitable("config.json and tokenizer.json are required for safetensors models");
  }
  const kind = "safetensors" as const;
  return { ...nothing, kind, filename: safetensors.primary.path, safetensors, warnings: [] };
}

function adapterChoice(adapter: RepoFile[]): RepoChoice {
  const warnings = ["This is an adapter (LoRA): it runs only together with its base model."];
  const nothing = { filename: null, variants: [], projector: undefined, safetensors: undefined };
  return { ...nothing, kind: "lora", adapter, warnings };
}

/** Warnings about files of one quantization: nodes choose among quantizations, not among models. */
function twinWarnings(variants: GgufVariant[]): string[] {
  const groups = Map.groupBy(variants, ({ quantization }) => quantization?.toUpperCase());
  return [...groups.values()]
    .filter((twins) => twins.length > 1)
    .map((twins) => {
      const paths = twins.map(({ files }) => files[0]?.path).slice(0, 5);
      const quantization = twins[0]?.quantization ?? "no quantization";
      return `Several files are ${quantization}: ${paths.join(", ")}. Nodes take none of them by \
chance: register one by filename`;
    });
}

/** Variants whose files can lie in one folder, as on a node: those that come first keep a name. */
function withoutCollisions(all: GgufVariant[]) {
  const seen = new Set<string>();
  const dropped: string[] = [];
  const variants = all.filter(({ files }) => {
    const names = files.map(({ path }) => localName(path).toLowerCase());
    if (names.some((name) => seen.has(name))) {
      dropped.push(files[0]?.path ?? "");
      return false;
    }
    for (const name of names) seen.add(name);
    return true;
  });
  return { variants, dropped };
}

function nothingFound(files: RepoFile[]): string {
  const message = "No supported model artifacts found (safetensors/gguf)";
  const hasOnnx = files.some(({ path }) => /\.onnx$/i.test(path));
  return hasOnnx ? `${message}. There are ONNX files, which nothing here runs` : message;
}

function named(files: readonly RepoFile[], path: string): boolean {
  return files.some((file) => file.path === path && file.size > 0);
}

function projectorFor(projectors: RepoFile[], variant: GgufVariant | undefined) {
  return preferredProjector(projectors, ({ path }) => path, variant?.files[0]?.path ?? "");
}

function unsuitable(why: string): ApiError {
  return new ApiError("invalid_request", `Choosing the model's files failed: ${why}.`, {
    ...{ code: "unsuitable_repo", param: "filename" },
  });
}

function notFound(why: string): ApiError {
  return new ApiError("not_found", `Choosing the model's files failed: ${why}.`, {
    ...{ code: "hub_file_not_found", param: "filename" },
  });
}
