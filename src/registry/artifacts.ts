import { isGguf, isSameQuantization, localName, quantizationOf } from "../model/filename.ts";
import { ApiError } from "../wire/error.ts";
import { isSafePath } from "../wire/manifest.ts";
import type { ModelContent, Variant } from "../wire/registry.ts";
import {
  adapterOf,
  chooseSafetensors,
  isSafetensors,
  isSafetensorsIndex,
  namedSafetensors,
  type SafetensorsFiles,
} from "./safetensors.ts";
import type { RepoFile, Snapshot } from "./snapshot.ts";
import { type GgufVariant, partsOf, preferredOf, projectorFor, sortGguf } from "./weights.ts";

/** What a model is made of, as far as names tell. */
export interface Choice {
  kind: ModelContent["kind"];
  /** The file that was asked for, as the id names it: of a split one the first part. */
  filename: string | null;
  variants: GgufVariant[];
  projector: RepoFile | undefined;
  safetensors: SafetensorsFiles | undefined;
  adapter: RepoFile[];
  warnings: string[];
}

export type StoredArtifact = ModelContent["artifacts"][number];

/** What a request picks out of a repository. */
export interface Wish {
  filename?: string | undefined;
  quantization?: string | undefined;
}

/**
 * Which files of a repository are the model.
 *
 * 1. A file or a quantization that is named: that one alone.
 * 2. All GGUF variants (the node chooses) and the safetensors, if they are clear.
 * 3. Else an adapter.
 *
 * Throws 400 where nothing can be chosen, 404 for a file that is not there.
 */
export function choose({ files: listed }: Snapshot, wish: Wish): Choice {
  const files = listed.filter(({ path }) => isSafePath(path));
  if (wish.filename !== undefined) return chooseNamed(files, wish.filename);
  const gguf = sortGguf(files);
  if (wish.quantization !== undefined) {
    const { quantization } = wish;
    const meant = gguf.variants.filter((one) => isSameQuantization(one.quantization, quantization));
    const there = gguf.variants.map((one) => one.quantization ?? "none").join(", ") || "none";
    const [first] = meant;
    if (first === undefined)
      throw notThere(`${quantization} is not among its GGUF files: ${there}`);
    if (meant.length > 1) throw ambiguous("Multiple GGUF files found; specify filename");
    return chooseNamed(files, first.files[0]?.path ?? "");
  }
  return chooseAll(files);
}

function chooseAll(files: RepoFile[]): Choice {
  const gguf = sortGguf(files);
  const warnings: string[] = [];
  const { variants, dropped } = withoutCollisions(gguf.variants);
  if (dropped.length > 0) {
    const names = dropped.join(", ");
    warnings.push(`Files with the same name in other folders were left out: ${names}. \
Register them by filename.`);
  }
  warnings.push(...twinsAmong(variants));
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
    if (problem !== undefined) throw ambiguous(problem);
    if (gguf.missing.length > 0) throw ambiguous(warnings.join(". "));
    throw ambiguous(nothingFound(files));
  }
  if (problem !== undefined) warnings.push(`Safetensors files were left out: ${problem}`);
  return {
    kind: safetensors === undefined ? "gguf" : variants.length === 0 ? "safetensors" : "mixed",
    filename: null,
    variants,
    projector: projectorFor(gguf.projectors, preferredOf(variants)?.files[0]),
    safetensors,
    adapter: [],
    warnings,
  };
}

function chooseNamed(files: RepoFile[], filename: string): Choice {
  if (!isGguf(filename) && !isSafetensors(filename) && !isSafetensorsIndex(filename)) {
    throw ambiguous("filename must be a .gguf or .safetensors file");
  }
  if (!named(files, filename)) throw notThere("Specified file not found in repository");
  const nothing = { variants: [], projector: undefined, safetensors: undefined, adapter: [] };
  if (isGguf(filename)) {
    const { variants, projectors, missing } = sortGguf(files);
    const [first = filename] = partsOf(filename);
    const variant = variants.find((one) => one.files[0]?.path === first);
    if (variant === undefined) {
      const why =
        missing.length > 0 && filename !== first
          ? `Parts of a split GGUF file are missing: ${missing.slice(0, 5).join(", ")}`
          : `${filename} is no model by itself: it belongs to one`;
      throw ambiguous(why);
    }
    const projector = projectorFor(projectors, variant.files[0]);
    const kind = "gguf" as const;
    return { ...nothing, kind, filename: first, variants: [variant], projector, warnings: [] };
  }
  const safetensors = namedSafetensors(files, filename);
  if (safetensors === undefined || typeof safetensors === "string") {
    throw ambiguous(safetensors ?? "Specified file not found in repository");
  }
  if (!named(files, "config.json") || !named(files, "tokenizer.json")) {
    throw ambiguous("config.json and tokenizer.json are required for safetensors models");
  }
  const kind = "safetensors" as const;
  return { ...nothing, kind, filename: safetensors.primary.path, safetensors, warnings: [] };
}

function adapterChoice(adapter: RepoFile[]): Choice {
  const warnings = ["This is an adapter (LoRA): it runs only together with its base model."];
  const nothing = { filename: null, variants: [], projector: undefined, safetensors: undefined };
  return { ...nothing, kind: "lora", adapter, warnings };
}

/** Nodes choose among quantizations, not among models. */
function twinsAmong(variants: GgufVariant[]): string[] {
  const alike = Map.groupBy(variants, ({ quantization }) => quantization ?? "no quantization");
  return [...alike]
    .filter(([, files]) => files.length > 1)
    .map(([quantization, twins]) => {
      const paths = twins.map(({ files }) => files[0]?.path).slice(0, 5);
      return `Several files are ${quantization}: ${paths.join(", ")}. Nodes take none of them by \
chance: register one by filename`;
    });
}

/** A node keeps all files of a model in one folder: their last parts must differ. */
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

function ambiguous(why: string): ApiError {
  return new ApiError("invalid_request", `Choosing the model's files failed: ${why}.`, {
    ...{ code: "unsuitable_repo", param: "filename" },
  });
}

function notThere(why: string): ApiError {
  return new ApiError("not_found", `Choosing the model's files failed: ${why}.`, {
    ...{ code: "hub_file_not_found", param: "filename" },
  });
}

/** Small files around safetensors weights; only the first two must be there. */
const CONFIGS = [
  ...["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"],
  ...["special_tokens_map.json", "added_tokens.json", "tokenizer.model", "vocab.json"],
  ...["merges.txt", "chat_template.jinja", "preprocessor_config.json", "processor_config.json"],
];
/** Prepared weights for one platform. */
const PREPARED: Record<string, "metal" | "directml"> = {
  "model.metal.bin": "metal",
  "model.directml.bin": "directml",
  "model.dml.bin": "directml",
};

/** The files that nodes fetch, in the order of their importance. */
export function artifactsOf(choice: Choice, shards: RepoFile[], snapshot: Snapshot) {
  const { variants, projector, safetensors, adapter } = choice;
  const artifacts: StoredArtifact[] = variants.flatMap(({ files, quantization }) =>
    files.map((file) => artifact(file, "gguf", { quantization, runtimes: ["llama_cpp"] })),
  );
  if (projector !== undefined) {
    const quantization = quantizationOf(localName(projector.path)) ?? null;
    const more = { quantization, runtimes: ["llama_cpp"], optional: true };
    artifacts.push(artifact(projector, "gguf", more));
  }
  if (safetensors !== undefined) {
    const runtimes = [runtimeOf(snapshot.architectures)];
    for (const name of CONFIGS) {
      const file = snapshot.files.find(({ path, size }) => path === name && size > 0);
      const optional = name !== "config.json" && name !== "tokenizer.json";
      if (file) artifacts.push(artifact(file, "config", { priority: 10, optional }));
    }
    if (safetensors.isIndex) {
      artifacts.push(artifact(safetensors.primary, "config", { priority: 5 }));
    }
    for (const shard of shards) artifacts.push(artifact(shard, "safetensors", { runtimes }));
    for (const [name, format] of Object.entries(PREPARED)) {
      const file = snapshot.files.find(({ path, size }) => path === name && size > 0);
      const more = { priority: 5, optional: true, runtimes };
      if (file) artifacts.push(artifact(file, format, more));
    }
  }
  for (const file of adapter) {
    if (isGguf(file.path)) artifacts.push(artifact(file, "gguf", { runtimes: ["llama_cpp"] }));
    else if (isConfig(file.path)) artifacts.push(artifact(file, "config", { priority: 10 }));
    else artifacts.push(artifact(file, "safetensors", {}));
  }
  return artifacts;
}

function isConfig(path: string): boolean {
  return !/safetensors$/i.test(path);
}

function artifact(
  { path, size, sha256, gitOid }: RepoFile,
  format: StoredArtifact["format"],
  more: Partial<StoredArtifact>,
): StoredArtifact {
  return {
    ...{ filename: path, format, quantization: null, size_bytes: size, sha256, git_oid: gitOid },
    ...{ priority: 0, runtimes: [], optional: false },
    ...more,
  };
}

function runtimeOf(architectures: readonly string[]): string {
  const all = architectures.join(" ").toLowerCase();
  if (/gpt-?oss/.test(all)) return "gptoss_cpp";
  return /nemotron/.test(all) ? "nemotron_cpp" : "safetensors_cpp";
}

/** A variant as the API shows it. */
export function variantView({ files, quantization, sizeBytes }: GgufVariant): Variant {
  return { quantization, filename: files[0]?.path ?? "", size_bytes: sizeBytes };
}
