import { basename } from "node:path";
import { configArchitecture, familyOf } from "../model/architecture.ts";
import { fitsPlatform } from "../model/filename.ts";
import { chooseGguf, type GgufSet, ggufSets } from "../model/ggufset.ts";
import { findSafetensors, type SafetensorsSet } from "../model/safetensors.ts";
import { ggufFiles, type Headers, type StoredFile } from "./folder.ts";
import type { ModelRecord } from "./record.ts";

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
  /** All files of the weights. */
  weights: StoredFile[];
  /** An image projector beside them. */
  projector: StoredFile | undefined;
  /** LoRA adapters beside them. */
  adapters: StoredFile[];
  quantization: string | undefined;
  /** E.g. `qwen`; undefined where it is not known. */
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
  headers: Headers;
  /** Default: this one's. */
  platform?: string;
}

/** The model that a folder's files make, or why they make none. */
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
  const { id, folder, files, record, headers } = options;
  const { model, projector, adapter } = await ggufFiles(files, headers);
  const wish = {
    leaf: basename(folder).toLowerCase(),
    quantization: options.quantization,
    recorded: record?.quantization,
  };
  const set = chooseGguf(ggufSets(model), wish);
  if (typeof set === "string") return set;
  const [primary] = set.files;
  if (primary === undefined) return "there is no GGUF file";
  const architecture = (await headers.of(primary))?.metadata.get("general.architecture");
  const named = typeof architecture === "string" ? architecture : undefined;
  return {
    id,
    format: "gguf",
    runtime: "llama_cpp",
    folder,
    primary,
    weights: set.files,
    projector: chooseProjector(projector),
    adapters: adapter,
    quantization: quantizationOfSet(set, record),
    architecture: named,
    family: named === undefined ? undefined : familyOf(named),
    capabilities: ["text", "embeddings"],
  };
}

function quantizationOfSet(set: GgufSet, record: ModelRecord | undefined): string | undefined {
  return (
    set.quantization ?? (set.stem.toLowerCase() === "model" ? record?.quantization : undefined)
  );
}

/** Of several projectors, as they are offered in several precisions: the first of these. */
const PROJECTOR_ORDER = [/[-._]f16\b/i, /[-._]bf16\b/i, /[-._]f32\b/i];

function chooseProjector(files: StoredFile[]): StoredFile | undefined {
  const preferred = PROJECTOR_ORDER.map((name) => files.find((file) => name.test(file.name)));
  return preferred.find((file) => file !== undefined) ?? files[0];
}

async function describeSafetensors(options: DescribeOptions): Promise<StoredModel | string> {
  const { id, folder, files } = options;
  const set: SafetensorsSet | string = await findSafetensors(files);
  if (typeof set === "string") return set;
  const architecture = await configArchitecture(set.config);
  return {
    id,
    format: "safetensors",
    runtime: "safetensors_cpp",
    folder,
    primary: set.primary,
    weights: set.shards,
    projector: undefined,
    adapters: files.filter(({ name }) => /^adapter_model\.safetensors$/i.test(name)),
    quantization: undefined,
    architecture,
    family: architecture === undefined ? undefined : familyOf(architecture),
    capabilities: ["text"],
  };
}
