import { isGguf, localName } from "../model/filename.ts";
import {
  preferredProjector,
  preferredQuantization,
  weightsWithTag,
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
import { type GgufFiles, type GgufVariant, sortGguf } from "./ggufvariant.ts";
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
  /** What was left out, and why. */
  skipped: string[];
  /** Other warnings. */
  warnings: string[];
}

/** Which files of a repository a request names, if any. */
interface FileReference extends Pick<Reference, "filename" | "folder" | "quantization"> {
  /** Whoever asks chooses among all files later, by the quantization if there is one. */
  choosesLater?: boolean;
}

/**
 * Which files of a repository are the model.
 *
 * 1. A file or a quantization that is named: that one alone.
 * 2. All GGUF variants (the node chooses) and the safetensors, if they are clear; of a folder that
 *    is named, only those in it.
 * 3. Else an adapter.
 *
 * Throws 400 where nothing can be chosen, 404 for a file that is not there.
 */
export function chooseRepoFiles(
  { files: listed }: RepoSnapshot,
  { filename, folder, quantization, choosesLater = false }: FileReference,
): RepoChoice {
  const safe = listed.filter(({ path }) => isSafePath(path));
  if (filename !== undefined) return chooseNamed(safe, filename);
  const files = folder === undefined ? safe : filesIn(safe, folder);
  const path = quantization && pathOfQuantization(files, quantization, choosesLater);
  if (path !== undefined) return chooseNamed(safe, path);
  const choice = chooseAll(files);
  const [only, ...others] = choice.variants;
  const single = folder !== undefined && others.length === 0 ? only?.files[0]?.path : undefined;
  if (single !== undefined && !choosesLater) return chooseNamed(safe, single);
  const unsafe = listed.filter((file) => isGguf(file.path) && !safe.includes(file));
  const what = "its name cannot be saved on every system";
  const leftOut = leftOutWarnings(unsafe.map((file) => ({ path: file.path, what })));
  return { ...choice, skipped: [...choice.skipped, ...leftOut] };
}

/** The GGUF files in a folder, and all projectors. */
function filesIn(files: RepoFile[], folder: string): RepoFile[] {
  const within = files.filter(({ path }) => isGguf(path) && path.startsWith(`${folder}/`));
  if (within.length === 0) throw notFound(`its folder ${folder} has no GGUF files`);
  return files.filter((file) => within.includes(file) || sortGguf([file]).projectors.length > 0);
}

/**
 * The path of the only GGUF file with a quantization. If the choice is made later, undefined: it is
 * among the others then, unless it would share its name with one of them on a node.
 */
function pathOfQuantization(
  files: RepoFile[],
  quantization: string,
  choosesLater: boolean,
): string | undefined {
  const { variants: all, incomplete } = sortGguf(files);
  const { variants: kept } = withoutCollisions(all);
  const variants = weightsWithTag(all, quantization);
  const [first, ...others] = variants;
  if (first === undefined) {
    const { missing = [] } = weightsWithTag(incomplete, quantization)[0] ?? {};
    if (missing.length > 0) throw unsuitable(partsMissing(missing));
    if (choosesLater) return undefined;
    const names = all.map((one) => one.quantization ?? "none").join(", ") || "none";
    throw notFound(`${quantization} is not among its GGUF files: ${names}`);
  }
  if (choosesLater && variants.some((one) => kept.includes(one))) return undefined;
  if (others.length > 0) throw unsuitable("Multiple GGUF files found; specify filename");
  return first.files[0]?.path ?? "";
}

function partsMissing(missing: string[]): string {
  return `Parts of a split GGUF file are missing: ${missing.slice(0, 5).join(", ")}`;
}

function leftOutWarnings(leftOut: GgufFiles["leftOut"]): string[] {
  return leftOut
    .slice(0, LEFT_OUT_MAX)
    .map(({ path, what }) => `${path} is left out: it is ${what}`);
}

const LEFT_OUT_MAX = 10;

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
  const missing = gguf.incomplete.flatMap((one) => one.missing);
  const skipped = missing.length > 0 ? [partsMissing(missing)] : [];
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
    if (skipped.length > 0) throw unsuitable([...warnings, ...skipped].join(". "));
    const left = leftOutWarnings(gguf.leftOut).join("; ");
    if (left !== "") throw unsuitable(left);
    throw unsuitable(nothingFound(files));
  }
  if (problem !== undefined) warnings.push(`Safetensors files were left out: ${problem}`);
  skipped.push(...leftOutWarnings(gguf.leftOut));
  return {
    kind: safetensors === undefined ? "gguf" : variants.length === 0 ? "safetensors" : "mixed",
    filename: null,
    variants,
    projector: projectorFor(gguf.projectors, preferredQuantization(variants)),
    safetensors,
    adapter: [],
    ...{ skipped, warnings },
  };
}

function chooseNamed(files: RepoFile[], filename: string): RepoChoice {
  if (!isGguf(filename) && !isSafetensors(filename) && !isSafetensorsIndex(filename)) {
    throw unsuitable("filename must be a .gguf or .safetensors file");
  }
  if (!named(files, filename)) throw notFound("Specified file not found in repository");
  const nothing = {
    variants: [],
    projector: undefined,
    safetensors: undefined,
    adapter: [],
    skipped: [],
  };
  if (isGguf(filename)) {
    const { variants, projectors, incomplete } = sortGguf(files, filename);
    const first = firstPartOf(filename);
    const variant = variants.find((one) => one.files[0]?.path === first);
    if (variant === undefined) {
      const { missing } = incomplete.find(({ path }) => path === first) ?? {};
      const why = `${filename} is no model by itself: it belongs to one`;
      throw unsuitable(missing === undefined ? why : partsMissing(missing));
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
  return { ...nothing, kind: "lora", adapter, skipped: [], warnings };
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
  const pieces = files.filter(({ path }) => PIECE.test(path)).slice(0, 3);
  if (pieces.length > 0) {
    const names = pieces.map(({ path }) => path).join(", ");
    return `Its GGUF file was cut into pieces (${names}). Fetch them, join them by hand with cat, \
and put the file into a folder of the models folder`;
  }
  const hasOnnx = files.some(({ path }) => /\.onnx$/i.test(path));
  return hasOnnx ? `${message}. There are ONNX files, which nothing here runs` : message;
}

/** Pieces of a file that was cut, not parts of a split one: `x.gguf-split-a`, `x.gguf.part1of2`. */
const PIECE = /\.gguf[-._](?:split[-._]?[a-z\d]+|part[-._]?[a-z\d]+|\d{2,5})$/i;

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
