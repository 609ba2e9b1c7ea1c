import type { OllamaDetails } from "../../wire/ollama.ts";
import type { ModelEntry } from "../../wire/openai.ts";
import { type Endpoint, modelEntryOf } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";

/** A model as `/api/tags` lists it. */
export interface OllamaModel {
  name: string;
  model: string;
  modified_at: string;
  /** Bytes; 0 where nobody says. */
  size: number;
  /** Tells models apart: a hash of the name, for nobody says the file's. */
  digest: string;
  details: OllamaDetails;
}

/** A model that some endpoint serves, as Ollama describes models. */
export function describe(pool: UpstreamPool, id: string): OllamaModel {
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

/** Tokens that fit into the context of a model wherever it is asked; 0 where nobody says. */
export function contextLength(pool: UpstreamPool, id: string): number {
  const entries = pool.serving(id).map((endpoint) => modelEntryOf(endpoint, id));
  const known = entries.map((entry) => numberOf([entry], "max_tokens")).filter((n) => n > 0);
  return known.length === 0 ? 0 : Math.min(...known);
}

/**
 * What a model can do, in Ollama's words. Whoever can chat is taken to know tools: nobody says
 * otherwise, and clients do not even offer them where it is missing.
 */
export function capabilitiesOf(pool: UpstreamPool, id: string): string[] {
  const said = new Set<unknown>();
  for (const endpoint of pool.serving(id)) {
    const { capabilities } = modelEntryOf(endpoint, id);
    for (const one of Array.isArray(capabilities) ? capabilities : ["chat"]) said.add(one);
  }
  if (said.has("embeddings") && !said.has("chat")) return ["embedding"];
  return [
    ...["completion", "tools"],
    ...(said.has("vision") ? ["vision"] : []),
    ...(said.has("embeddings") ? ["embedding"] : []),
  ];
}

/** Names tell the size and the quantization, as their authors write them. */
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

/** The first that an entry says; 0 if none does. */
function numberOf(entries: readonly Partial<ModelEntry>[], field: string): number {
  for (const entry of entries) {
    const value = entry[field];
    if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  }
  return 0;
}
