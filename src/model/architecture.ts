import { z } from "zod";

/** Families by how the names of their architectures begin; longer beginnings first. */
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

/** The family of an architecture, in any spelling of its name; undefined if none is known. */
export function familyOf(architecture: string): string | undefined {
  const plain = architecture.toLowerCase().replace(/[^a-z0-9]/g, "");
  return FAMILIES.find(([beginning]) => plain.startsWith(beginning))?.[1];
}

const Config = z.object({
  model_type: z.string().optional().catch(undefined),
  architectures: z.array(z.string()).catch([]).default([]),
});

/** The architecture that a `config.json` names, given its text; undefined if it names none. */
export function configArchitecture(text: string): string | undefined {
  try {
    const { data } = Config.safeParse(JSON.parse(text));
    return data?.model_type ?? data?.architectures[0];
  } catch {
    return undefined; // It is no JSON.
  }
}
