import { basename } from "node:path";
import { familyOf } from "../model/architecture.ts";
import { type GgufRole, ROLE_WORDS } from "../model/ggufrole.ts";
import { fitsPlatform } from "../model/platform.ts";
import { preferredProjector, quantizationInHeader } from "../model/quantization.ts";
import { type GgufWeights, groupParts } from "../model/splitfile.ts";
import type { StoredFile } from "./foldercontent.ts";
import { chooseWeights } from "./ggufchoice.ts";
import { type MetadataCache, sortByRole } from "./metadatacache.ts";
import type { ModelRecord } from "./modelrecord.ts";
import { findSafetensorsModel } from "./safetensorsmodel.ts";

/** A model whose files are complete. */
export interface StoredModel {
  id: string;
  format: "gguf" | "safetensors";
  /** Which kind of engine runs it. */
  runtime: "llama_cpp" | "safetensors_cpp";
  /** Absolute path of the folder. */
  folder: string;
  /** The file that an engine is given: a GGUF file, the first part of one, or an index. */
  primary: StoredFile;
  /** All files of the weights, the primary one included. */
  weights: StoredFile[];
  /** An image projector beside them. */
  projector: StoredFile | undefined;
  /** LoRA adapters beside them. */
  adapters: StoredFile[];
  quantization: string | undefined;
  /** E.g. `qwen`; undefined if it is not known. */
  family: string | undefined;
  /** As the file names it, e.g. `qwen3moe`. */
  architecture: string | undefined;
  capabilities: string[];
}

export interface DescribeOptions {
  id: string;
  /** Absolute. */
  folder: string;
  files: StoredFile[];
  record: ModelRecord | undefined;
  quantization?: string | undefined;
  metadata: MetadataCache;
  /** `process.platform` of the machine that shall run it. Default: this one's. */
  platform?: string;
}

/** Finds the model in a folder's files. Returns a text that says why there is none. */
export async function describeModel(options: DescribeOptions): Promise<StoredModel | string> {
  const { record, quantization, platform = process.platform } = options;
  const files = options.files.filter(({ name }) => fitsPlatform(name, platform));
  const formats =
    record?.formats ?? (record?.format === undefined ? undefined : [record.format]) ?? FORMATS;
  const reasons: string[] = [];
  for (const format of formats) {
    if (quantization !== undefined && format !== "gguf") continue;
    const found = await DESCRIBERS[format]({ ...options, files });
    if (typeof found !== "string") return found;
    reasons.push(found);
  }
  if (reasons.length === 0) return `no format has the quantization ${quantization}`;
  return reasons.join(", and ");
}

const FORMATS = ["gguf", "safetensors"] as const;

const DESCRIBERS = { gguf: describeGguf, safetensors: describeSafetensors } as const;

async function describeGguf(options: DescribeOptions): Promise<StoredModel | string> {
  const { id, folder, files, record, metadata } = options;
  const roles = await sortByRole(files, metadata);
  const { model, projector, adapter } = roles;
  const all = await withHeaderTags(groupParts(model, nameOf), options);
  if (all.length === 0) return noModel(roles);
  const chosen = chooseWeights(all, {
    leaf: basename(folder).toLowerCase(),
    quantization: options.quantization,
    recorded: record?.quantization,
  });
  if (typeof chosen === "string") return chosen;
  const [primary] = chosen.files;
  if (primary === undefined) return "there is no GGUF file";
  const architecture = (await metadata.of(primary))?.get("general.architecture");
  const named = typeof architecture === "string" ? architecture : undefined;
  return {
    id,
    format: "gguf",
    runtime: "llama_cpp",
    folder,
    primary,
    weights: chosen.files,
    projector: preferredProjector(projector, nameOf, primary.name),
    adapters: adapter,
    quantization: chosen.quantization,
    architecture: named,
    family: named === undefined ? undefined : familyOf(named),
    capabilities: ["text", "embeddings"],
  };
}

/**
 * Weights whose names tell no quantization have that which the record names, if it means them, else
 * that of their header.
 */
async function withHeaderTags(
  all: GgufWeights<StoredFile>[],
  { record, metadata }: DescribeOptions,
): Promise<GgufWeights<StoredFile>[]> {
  const recorded = (stem: string) => {
    return all.length === 1 || stem.toLowerCase() === "model" ? record?.quantization : undefined;
  };
  return await Promise.all(
    all.map(async (one) => {
      const named = one.quantization ?? recorded(one.stem);
      const [first] = one.files;
      if (named !== undefined || first === undefined) return { ...one, quantization: named };
      return { ...one, quantization: quantizationInHeader(await metadata.of(first)) };
    }),
  );
}

function noModel(roles: Record<GgufRole, StoredFile[]>): string {
  const words = Object.entries(ROLE_WORDS).flatMap(([role, what]) => {
    return roles[role as GgufRole].map(({ name }) => `${name} is ${what}`);
  });
  const why = words.length === 0 ? "" : `: ${words.slice(0, COMPANIONS_MAX).join(", ")}`;
  return `there is no GGUF file of a model${why}`;
}

const COMPANIONS_MAX = 5;

function nameOf({ name }: StoredFile): string {
  return name;
}

async function describeSafetensors(options: DescribeOptions): Promise<StoredModel | string> {
  const { id, folder, files } = options;
  const found = await findSafetensorsModel(files);
  if (typeof found === "string") return found;
  const { primary, shards, architecture } = found;
  return {
    id,
    format: "safetensors",
    runtime: "safetensors_cpp",
    folder,
    primary,
    weights: shards,
    projector: undefined,
    adapters: files.filter(({ name }) => /^adapter_model\.safetensors$/i.test(name)),
    quantization: undefined,
    architecture,
    family: architecture === undefined ? undefined : familyOf(architecture),
    capabilities: ["text"],
  };
}
