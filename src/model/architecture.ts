import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { StoredFile } from "../storage/folder.ts";

/** Families by the beginnings of their names; longer ones before those that begin alike. */
const FAMILIES: [beginning: string, family: string][] = [
  ["nomic", "nomic"],
  ["snowflake", "snowflake"],
  ["mxbai", "mxbai"],
  ["minilm", "minilm"],
  ["devstral", "devstral"],
  ["magistral", "magistral"],
  ["mistral", "mistral"],
  ["mixtral", "mistral"],
  ["nemotron", "nemotron"],
  ["deepseek", "deepseek"],
  ["gptoss", "gptoss"],
  ["granite", "granite"],
  ["smollm", "smollm"],
  ["moondream", "moondream"],
  ["chatglm", "glm"],
  ["gemma", "gemma"],
  ["llama", "llama"],
  ["qwen", "qwen"],
  ["kimi", "kimi"],
  ["phi", "phi"],
  ["glm", "glm"],
];

/** The family of an architecture's name, however it is spelled; undefined for others. */
export function familyOf(architecture: string): string | undefined {
  const plain = architecture.toLowerCase().replace(/[^a-z0-9]/g, "");
  return FAMILIES.find(([beginning]) => plain.startsWith(beginning))?.[1];
}

const Config = z.object({
  model_type: z.string().optional().catch(undefined),
  architectures: z.array(z.string()).catch([]).default([]),
});

const CONFIG_BYTES_MAX = 1024 * 1024;

/** The architecture that a `config.json` names; undefined if it names none. */
export async function configArchitecture(config: StoredFile): Promise<string | undefined> {
  if (config.sizeBytes > CONFIG_BYTES_MAX) return undefined;
  try {
    const { data } = Config.safeParse(JSON.parse(await readFile(config.path, "utf8")));
    return data?.model_type ?? data?.architectures[0];
  } catch {
    return undefined; // no JSON: it names nothing
  }
}
