import type { OllamaDetails } from "../../wire/ollama.ts";
import type { ModelEntry } from "../../wire/openai.ts";
import { type Endpoint, modelEntryOf } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";

/** A model as `/api/tags` lists it. */
export interface OllamaModel {
  name: string;
  model: string;
  modified_at: string;
  /** Bytes; 0 if unknown. */
  size: number;
  /** A hash of the name, since that of the file is unknown. */
  digest: string;
  details: OllamaDetails;
}

/** A model that an endpoint serves, in Ollama's format. */
export function ollamaModelOf(pool: UpstreamPool, id: string): OllamaModel {
  const serving = pool.serving(id);
  const entries = serving.map((endpoint) => modelEntryOf(endpoint, id));
  const createdS = numberOf(entries, "created") || (serving[0]?.seenAt ?? 0);
  return {
    name: id,
    model: id,
    modified_at: new Date(createdS * 1000).toISOString(),
    size: numberOf(entries, "size_bytes"),
    digest: new Bun.CryptoHasher("sha256").update(id).digest("hex"),
    details: detailsOf(id, serving),
  };
}

/** The shortest context of a model on its endpoints, in tokens; 0 if unknown. */
export function contextLength(pool: UpstreamPool, id: string): number {
  const entries = pool.serving(id).map((endpoint) => modelEntryOf(endpoint, id));
  const lengths = entries.map((entry) => numberOf([entry], "max_tokens")).filter((n) => n > 0);
  return lengths.length === 0 ? 0 : Math.min(...lengths);
}

/**
 * The capabilities of a model by Ollama's names. A model that chats is listed with `tools`, because
 * no endpoint says whether it has them, and clients offer no tools without it.
 */
export function ollamaCapabilities(pool: UpstreamPool, id: string): string[] {
  const capabilities = new Set<unknown>();
  for (const endpoint of pool.serving(id)) {
    const { capabilities: listed } = modelEntryOf(endpoint, id);
    for (const one of Array.isArray(listed) ? listed : ["chat"]) capabilities.add(one);
  }
  if (capabilities.has("embeddings") && !capabilities.has("chat")) return ["embedding"];
  return [
    ...["completion", "tools"],
    ...(capabilities.has("vision") ? ["vision"] : []),
    ...(capabilities.has("embeddings") ? ["embedding"] : []),
  ];
}

/** Reads size and quantization from the model's name. */
function detailsOf(id: string, serving: readonly Endpoint[]): OllamaDetails {
  const size = /(?:^|[-_:/. ])((?:\d+x)?\d+(?:\.\d+)?[bm])(?=$|[-_:/. ])/i.exec(id)?.[1];
  const quantization = /(?:^|[-_:/. ])((?:I?Q\d\w*|BF16|F16|F32|FP16|FP8|MXFP4))(?=$|[-_:/. ])/i;
  const kinds = new Set(["llmlb", "llama_server", "ollama"]);
  const runsGguf = serving.some(({ facts }) => facts.kind !== null && kinds.has(facts.kind));
  return {
    parent_model: "",
    format: runsGguf || /gguf/i.test(id) ? "gguf" : "",
    family: "",
    families: [],
    parameter_size: size?.toUpperCase() ?? "",
    quantization_level: quantization.exec(id)?.[1]?.toUpperCase() ?? "",
  };
}

/** The first positive number of a field; 0 if no entry has one. */
function numberOf(entries: readonly Partial<ModelEntry>[], field: string): number {
  for (const entry of entries) {
    const value = entry[field];
    if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  }
  return 0;
}
