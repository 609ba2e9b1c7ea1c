import { readFile } from "node:fs/promises";
import { configArchitecture } from "../model/architecture.ts";
import { findSafetensors, type SafetensorsProblem, shardNames } from "../model/safetensors.ts";
import { isSafePath } from "../wire/manifest.ts";
import type { StoredFile } from "./foldercontent.ts";

/** The files of a safetensors model in a folder. */
export interface SafetensorsModel {
  /** The index, or the only file of weights. */
  primary: StoredFile;
  shards: StoredFile[];
  /** As `config.json` names it. */
  architecture: string | undefined;
}

const INDEX_BYTES_MAX = 64 * 1024 * 1024;
const CONFIG_BYTES_MAX = 1024 * 1024;

const PROBLEMS: Record<SafetensorsProblem, string> = {
  "several indexes": "there is more than one safetensors index",
  "several files": "there is more than one safetensors file and no index",
};

/**
 * The safetensors model in a folder, or why there is none: it needs `config.json` and
 * `tokenizer.json`, and one index with all shards that it names, or else exactly one file.
 */
export async function findSafetensorsModel(
  files: StoredFile[],
): Promise<SafetensorsModel | string> {
  const byName = new Map(files.map((file) => [file.name, file]));
  const found = findSafetensors(files, ({ name }) => name);
  if (found === undefined) return "there is no safetensors file";
  const config = byName.get("config.json");
  if (config === undefined) return "config.json is missing";
  if (!byName.has("tokenizer.json")) return "tokenizer.json is missing";
  if (typeof found === "string") return PROBLEMS[found];
  const { primary, isIndex } = found;
  const architecture = await readArchitecture(config);
  if (!isIndex) return { primary, shards: [primary], architecture };
  const names = await readShardNames(primary);
  if (typeof names === "string") return names;
  const missing = names.filter((name) => !byName.has(name));
  if (missing.length > 0) return `shards are missing: ${missing.slice(0, 10).join(", ")}`;
  return { primary, shards: names.flatMap((name) => byName.get(name) ?? []), architecture };
}

async function readShardNames(index: StoredFile): Promise<string[] | string> {
  if (index.sizeBytes > INDEX_BYTES_MAX) return `${index.name} is too large`;
  const text = await readFile(index.path, "utf8").catch(() => ""); // It went away meanwhile.
  const names = shardNames(text);
  if (typeof names === "string") return `${index.name} ${names}`;
  const unsafe = names.find((name) => name.includes("/") || !isSafePath(name));
  if (unsafe === undefined) return names.sort();
  return `${index.name} names ${JSON.stringify(unsafe.slice(0, 100))}`;
}

async function readArchitecture({ path, sizeBytes }: StoredFile): Promise<string | undefined> {
  if (sizeBytes > CONFIG_BYTES_MAX) return undefined;
  return configArchitecture(await readFile(path, "utf8").catch(() => ""));
}
