import { folderOf } from "../model/filename.ts";
import {
  findSafetensors,
  isSafetensors,
  isSafetensorsIndex,
  isSafetensorsShard,
  type SafetensorsWeights,
  safetensorsStem,
  shardCount,
  shardNames,
} from "../model/safetensors.ts";
import type { RepoFile } from "./reposnapshot.ts";

const NO_INDEX = "Sharded safetensors need an index file such as model.safetensors.index.json";

/**
 * Which safetensors files of a repository are the model, or why that is not clear; undefined if it
 * has none. Files in the root count. Those in folders count only if the root has none: besides a
 * root's files they are parts of a pipeline, or copies.
 */
export function chooseSafetensors(
  files: readonly RepoFile[],
): SafetensorsWeights<RepoFile> | string | undefined {
  const all = files.filter(({ path, size }) => {
    return size > 0 && (isSafetensorsIndex(path) || isSafetensors(path));
  });
  const root = all.filter(({ path }) => !path.includes("/"));
  const candidates = root.length > 0 ? root : all;
  const found = findSafetensors(candidates, ({ path }) => path);
  if (found === "several indexes") {
    return "Multiple safetensors index files found; specify filename";
  }
  if (found === undefined || (typeof found === "object" && found.isIndex)) return found;
  if (candidates.some(({ path }) => isSafetensorsShard(path))) return NO_INDEX;
  return found === "several files" ? "Multiple safetensors files found; specify filename" : found;
}

/**
 * The weights that a request names by a file of the repository: the file, or the index beside it if
 * it is a shard. A text says why it cannot be used; undefined: it does not exist.
 */
export function namedSafetensors(
  files: readonly RepoFile[],
  path: string,
): SafetensorsWeights<RepoFile> | string | undefined {
  const file = files.find((one) => one.path === path);
  if (file === undefined) return undefined;
  if (isSafetensorsIndex(path)) return { primary: file, isIndex: true };
  if (!isSafetensorsShard(path)) return { primary: file, isIndex: false };
  const index = `${safetensorsStem(path)}.safetensors.index.json`;
  const found = files.find((one) => one.path === index);
  return found === undefined ? NO_INDEX : { primary: found, isIndex: true };
}

/** The shards that an index names, given its text, or what is wrong with it. */
export function shardsOf(
  text: string,
  index: RepoFile,
  files: readonly RepoFile[],
): RepoFile[] | string {
  const names = shardNames(text);
  if (typeof names === "string") return "Invalid safetensors index format";
  const folder = folderOf(index.path);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const shards = names.flatMap((name) => byPath.get(folder + name) ?? []);
  if (shards.length === names.length) return shards;
  const missing = names.filter((name) => !byPath.has(folder + name)).slice(0, 5);
  const list = missing.join(", ");
  return `Invalid safetensors index format: it names files that are not there: ${list}`;
}

/** The shards of an index that cannot be read, by their names; none unless all of them exist. */
export function shardsByName(index: RepoFile, files: readonly RepoFile[]): RepoFile[] {
  const stem = safetensorsStem(index.path);
  const shards = files.filter(({ path, size }) => {
    return size > 0 && isSafetensorsShard(path) && safetensorsStem(path) === stem;
  });
  return shards.length === shardCount(shards[0]?.path ?? "") ? shards : [];
}

/** The files of an adapter (LoRA) on top of another model; undefined if the repository is none. */
export function adapterOf(files: readonly RepoFile[]): RepoFile[] | undefined {
  const config = files.find(({ path }) => path === "adapter_config.json");
  const weights = files.find(({ path }) => path === "adapter_model.safetensors");
  return config === undefined || weights === undefined ? undefined : [config, weights];
}
