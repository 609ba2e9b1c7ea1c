import { z } from "zod";
import { localName } from "./filename.ts";

const INDEX = /\.safetensors\.index\.json$/i;
const SHARD = /-\d{5}-of-(\d{5})\.safetensors$/i;
const FILE = /.\.safetensors$/i;

/** Whether a path is that of an index, which names the shards of split weights. */
export function isSafetensorsIndex(path: string): boolean {
  return INDEX.test(path);
}

/** Whether a path is that of weights, whole or a shard. An adapter's weights are none. */
export function isSafetensors(path: string): boolean {
  return FILE.test(path) && !/^adapter_model/i.test(localName(path));
}

/** Whether a path is that of one shard of several. */
export function isSafetensorsShard(path: string): boolean {
  return SHARD.test(path);
}

/** How many shards there are, as the name of one tells; 0 for any other name. */
export function shardCount(path: string): number {
  return Number(SHARD.exec(path)?.[1] ?? 0);
}

/** The path without what makes it an index or a shard: the same for all files of one model. */
export function safetensorsStem(path: string): string {
  return path.replace(INDEX, "").replace(SHARD, "");
}

/** The safetensors weights of a model: an index, or the only file. */
export interface SafetensorsWeights<File> {
  primary: File;
  isIndex: boolean;
}

/** Why it is not clear which safetensors files are the model. */
export type SafetensorsProblem = "several indexes" | "several files";

/** Among files, the safetensors weights: the only index, else the only file. */
export function findSafetensors<File>(
  files: readonly File[],
  pathOf: (file: File) => string,
): SafetensorsWeights<File> | SafetensorsProblem | undefined {
  const [index, ...indexes] = files.filter((file) => isSafetensorsIndex(pathOf(file)));
  if (indexes.length > 0) return "several indexes";
  if (index !== undefined) return { primary: index, isIndex: true };
  const [weights, ...others] = files.filter((file) => isSafetensors(pathOf(file)));
  if (others.length > 0) return "several files";
  return weights && { primary: weights, isIndex: false };
}

const Index = z.object({ weight_map: z.record(z.string(), z.string()) });

/** The names of the shards in an index, each once, or what is wrong with its text. */
export function shardNames(text: string): string[] | "is no JSON" | "has no weight_map" {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "is no JSON";
  }
  const parsed = Index.safeParse(json);
  return parsed.success ? [...new Set(Object.values(parsed.data.weight_map))] : "has no weight_map";
}
