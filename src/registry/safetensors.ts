import { z } from "zod";
import { localName } from "../model/filename.ts";
import type { RepoFile } from "./snapshot.ts";

/** Weights as safetensors: one file, or shards with their index. */
export interface SafetensorsFiles {
  /** The index, or the file itself. */
  primary: RepoFile;
  /** Where the weights are; empty until the index has been read. */
  shards: RepoFile[];
  isIndex: boolean;
}

const INDEX = /\.safetensors\.index\.json$/i;
const SHARD = /-\d{5}-of-\d{5}\.safetensors$/i;
const FILE = /.\.safetensors$/i;

export function isSafetensorsIndex(path: string): boolean {
  return INDEX.test(path);
}

/** Whether it is safetensors at all; adapters are for themselves. */
export function isSafetensors(path: string): boolean {
  return FILE.test(path) && !/^adapter_model/i.test(localName(path));
}

/** Whether the repository is an adapter (LoRA) on top of another model. */
export function adapterOf(files: readonly RepoFile[]): RepoFile[] | undefined {
  const config = files.find(({ path }) => path === "adapter_config.json");
  const weights = files.find(({ path }) => path === "adapter_model.safetensors");
  return config === undefined || weights === undefined ? undefined : [config, weights];
}

/**
 * Which safetensors files are the model, or why that cannot be said. Files in the root count; those
 * in folders only where the root has none, since there they are parts of a pipeline or copies. An
 * index comes before files.
 */
export function chooseSafetensors(
  files: readonly RepoFile[],
): SafetensorsFiles | string | undefined {
  const all = files.filter(
    ({ path, size }) => size > 0 && (INDEX.test(path) || isSafetensors(path)),
  );
  const root = all.filter(({ path }) => !path.includes("/"));
  const candidates = root.length > 0 ? root : all;
  if (candidates.length === 0) return undefined;
  const indexes = candidates.filter(({ path }) => INDEX.test(path));
  const weights = candidates.filter(({ path }) => !INDEX.test(path));
  const [index] = indexes;
  if (indexes.length > 1) return "Multiple safetensors index files found; specify filename";
  if (index !== undefined) return { primary: index, shards: [], isIndex: true };
  const [file] = weights;
  if (file === undefined) return undefined;
  if (weights.some(({ path }) => SHARD.test(path))) {
    return "Sharded safetensors need an index file such as model.safetensors.index.json";
  }
  if (weights.length > 1) return "Multiple safetensors files found; specify filename";
  return { primary: file, shards: [file], isIndex: false };
}

/** The same for one file that was named. A shard stands for the index beside it. */
export function namedSafetensors(
  files: readonly RepoFile[],
  path: string,
): SafetensorsFiles | string | undefined {
  const file = files.find((one) => one.path === path);
  if (file === undefined) return undefined;
  if (INDEX.test(path)) return { primary: file, shards: [], isIndex: true };
  if (!SHARD.test(path)) return { primary: file, shards: [file], isIndex: false };
  const index = path.replace(SHARD, ".safetensors.index.json");
  const found = files.find((one) => one.path === index);
  if (found === undefined) {
    return "Sharded safetensors need an index file such as model.safetensors.index.json";
  }
  return { primary: found, shards: [], isIndex: true };
}

const Index = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** The shards that an index names, or what is wrong with it. */
export function shardsOf(
  text: string,
  index: RepoFile,
  files: readonly RepoFile[],
): RepoFile[] | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "Invalid safetensors index format";
  }
  const parsed = Index.safeParse(json);
  if (!parsed.success) return "Invalid safetensors index format";
  const folder = index.path.slice(0, index.path.lastIndexOf("/") + 1);
  const names = [...new Set(Object.values(parsed.data.weight_map))];
  const byPath = new Map(files.map((file) => [file.path, file]));
  const shards = names.flatMap((name) => byPath.get(folder + name) ?? []);
  if (shards.length === names.length) return shards;
  const gone = names.filter((name) => !byPath.has(folder + name)).slice(0, 5);
  return `Invalid safetensors index format: it names files that are not there: ${gone.join(", ")}`;
}

/** The same by the names of the files, where the index cannot be read: only with all parts. */
export function shardsByName(index: RepoFile, files: readonly RepoFile[]): RepoFile[] {
  const stem = index.path.replace(INDEX, "");
  const shards = files.filter(({ path, size }) => {
    return size > 0 && SHARD.test(path) && path.replace(SHARD, "") === stem;
  });
  const parts = Number(/-of-(\d{5})\./.exec(shards[0]?.path ?? "")?.[1] ?? 0);
  return shards.length === parts ? shards : [];
}
