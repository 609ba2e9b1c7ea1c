import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { StoredFile } from "../storage/folder.ts";
import { isSafePath } from "../wire/manifest.ts";

/** The files of a safetensors model. */
export interface SafetensorsSet {
  primary: StoredFile;
  /** The index, where there is one; it is then the primary file. */
  index: StoredFile | undefined;
  shards: StoredFile[];
  config: StoredFile;
  tokenizer: StoredFile;
}

const INDEX_BYTES_MAX = 64 * 1024 * 1024;

const Index = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * The safetensors model in a folder, or why there is none: it needs `config.json` and
 * `tokenizer.json`, and one index with all shards that it names, or else exactly one file.
 */
export async function findSafetensors(files: StoredFile[]): Promise<SafetensorsSet | string> {
  const byName = new Map(files.map((file) => [file.name, file]));
  const weights = files.filter(
    ({ name }) => /\.safetensors$/i.test(name) && !/^adapter_model\./i.test(name),
  );
  const indexes = files.filter(({ name }) => /\.safetensors\.index\.json$/i.test(name));
  if (weights.length + indexes.length === 0) return "there is no safetensors file";
  const config = byName.get("config.json");
  const tokenizer = byName.get("tokenizer.json");
  if (config === undefined) return "config.json is missing";
  if (tokenizer === undefined) return "tokenizer.json is missing";
  if (indexes.length > 1) return "there is more than one safetensors index";
  const [index] = indexes;
  if (index === undefined) {
    const [primary, second] = weights;
    if (primary === undefined || second !== undefined) {
      return "there is more than one safetensors file and no index";
    }
    return { primary, index: undefined, shards: [primary], config, tokenizer };
  }
  const names = await shardNames(index);
  if (typeof names === "string") return names;
  const missing = names.filter((name) => !byName.has(name));
  if (missing.length > 0) return `shards are missing: ${missing.slice(0, 10).join(", ")}`;
  const shards = names.flatMap((name) => byName.get(name) ?? []);
  return { primary: index, index, shards, config, tokenizer };
}

async function shardNames(index: StoredFile): Promise<string[] | string> {
  if (index.sizeBytes > INDEX_BYTES_MAX) return `${index.name} is too large`;
  let json: unknown;
  try {
    json = JSON.parse(await readFile(index.path, "utf8"));
  } catch {
    return `${index.name} is no JSON`;
  }
  const parsed = Index.safeParse(json);
  if (!parsed.success) return `${index.name} has no weight_map`;
  const names = [...new Set(Object.values(parsed.data.weight_map))].sort();
  const bad = names.find((name) => name.includes("/") || !isSafePath(name));
  return bad === undefined ? names : `${index.name} names ${JSON.stringify(bad.slice(0, 100))}`;
}
