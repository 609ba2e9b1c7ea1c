import { z } from "zod";
import type { EndpointModel, ListedModel } from "../../db/models.ts";
import type { ModelEntry } from "../../wire/openai.ts";
import type { ModelMap } from "../endpoint.ts";

/** What an entry may say besides its name; a server's odd fields never spoil the list. */
const Entry = z.looseObject({
  id: z.string().optional().catch(undefined),
  /** Ollama's own list names models so. */
  model: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
  created: z.number().nonnegative().optional().catch(undefined),
  owned_by: z.string().optional().catch(undefined),
  /** vLLM. */
  max_model_len: z.int().positive().optional().catch(undefined),
  /** LM Studio. */
  max_context_length: z.int().positive().optional().catch(undefined),
  /** llama-server. */
  meta: z
    .looseObject({ n_ctx_train: z.int().positive().optional().catch(undefined) })
    .nullish()
    .catch(undefined),
  capabilities: z.unknown().optional(),
});

const Entries = z.array(z.unknown());

/**
 * Reads a list of models as OpenAI (`{data: [{id}]}`) or Ollama (`{models: [{model | name}]}`)
 * writes it. Entries without a name are skipped, of two with the same the first counts; `null` is
 * an empty list. Undefined if it is neither.
 */
export function readListing(json: unknown): ModelMap | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const given = "data" in json ? json.data : "models" in json ? json.models : undefined;
  const entries = given === null ? [] : Entries.safeParse(given).data;
  if (entries === undefined) return undefined;
  const models = new Map<string, ModelEntry>();
  for (const value of entries) {
    const entry = Entry.safeParse(value).data;
    const id = entry?.id ?? entry?.model ?? entry?.name ?? "";
    if (entry === undefined || id === "" || models.has(id)) continue;
    const { created, owned_by, meta } = entry;
    const maxTokens = entry.max_model_len ?? entry.max_context_length ?? meta?.n_ctx_train;
    models.set(id, {
      id,
      ...(created === undefined ? {} : { created }),
      ...(owned_by === undefined ? {} : { owned_by }),
      ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
      capabilities: capabilitiesOf(id, entry.capabilities),
    });
  }
  return models;
}

/** A list of models as it is stored. */
export function toStored(models: ModelMap): ListedModel[] {
  return [...models.values()].map((entry) => {
    const { created, owned_by, max_tokens, capabilities } = Stored.parse(entry);
    return {
      modelId: entry.id,
      capabilities: capabilities ?? null,
      maxTokens: max_tokens ?? null,
      ownedBy: owned_by ?? null,
      createdAt: created === undefined ? null : Math.round(created * 1000),
    };
  });
}

/** A stored list of models as it was given. */
export function fromStored(models: readonly EndpointModel[]): ModelMap {
  return new Map(
    models.map(({ modelId: id, capabilities, maxTokens, ownedBy, createdAt }) => [
      id,
      {
        id,
        ...(createdAt === null ? {} : { created: Math.floor(createdAt / 1000) }),
        ...(ownedBy === null ? {} : { owned_by: ownedBy }),
        ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
        ...(capabilities === null ? {} : { capabilities }),
      },
    ]),
  );
}

/** What `readListing` puts into an entry. */
export const Stored = z.looseObject({
  created: z.number().optional(),
  owned_by: z.string().optional(),
  max_tokens: z.number().optional(),
  capabilities: z.array(z.string()).optional(),
});

/**
 * What a model can do: what its entry says of images, else what its name tells (last part of the
 * path, in lower case).
 */
function capabilitiesOf(id: string, said: unknown): string[] {
  const name = (id.split("/").at(-1) ?? id).toLowerCase();
  if (/^embed|[-_]embed/.test(name)) return ["embeddings"];
  const images =
    typeof said === "object" && said !== null && "image_understanding" in said
      ? said.image_understanding === true
      : /^llava|^qwen2?(\.\d+)?-vl|[-_]vision|-vl-/.test(name);
  return images ? ["chat", "vision"] : ["chat"];
}
