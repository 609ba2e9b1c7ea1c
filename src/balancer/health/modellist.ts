import { z } from "zod";
import type { EndpointModel, ListedModel } from "../../db/state/endpointmodels.ts";
import {
  CAPABILITIES,
  type Capability,
  type CapabilityReport,
  readCapabilities,
} from "../../wire/capability.ts";
import type { ModelEntry } from "../../wire/openai.ts";
import type { ModelMap } from "../upstream/endpoint.ts";

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
  /** OpenRouter, and servers that follow it. */
  architecture: z
    .looseObject({ input_modalities: z.array(z.string()) })
    .nullish()
    .catch(undefined),
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
  const beside = saidBeside(json);
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
      ...abilitiesOf(id, said(entry) ?? beside.get(id)),
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

/** What an entry says of abilities. */
function said({ capabilities, architecture }: z.infer<typeof Entry>): CapabilityReport | undefined {
  const known = readCapabilities(capabilities);
  if (known !== undefined || architecture == null) return known;
  const sees = architecture.input_modalities.includes("image");
  return sees ? { has: ["vision"], lacks: [] } : { has: [], lacks: ["vision"] };
}

/** llama-server gives two lists, and says what its model can do in the one for Ollama's clients. */
function saidBeside(json: object): Map<string, CapabilityReport> {
  const told = new Map<string, CapabilityReport>();
  if (!("data" in json) || !("models" in json)) return told;
  for (const value of Entries.safeParse(json.models).data ?? []) {
    const entry = Entry.safeParse(value).data;
    const id = entry?.model ?? entry?.name;
    const known = entry === undefined ? undefined : said(entry);
    if (id !== undefined && known !== undefined) told.set(id, known);
  }
  return told;
}

/** Names that leave no doubt: made for one thing, and unable to do others. */
const SINGLE: [RegExp, Capability][] = [
  [/^embed|[-_]embed/, "embeddings"],
  [/^whisper|[-_]whisper/, "speech_to_text"],
  [/^dall-e|^gpt-image|^stable-diffusion/, "image_generation"],
];

/** Names that tell what a model is for, but not that it can do nothing else. */
const TELLING: [RegExp, Capability][] = [
  [/rerank/, "rerank"],
  [/^tts-|[-_]tts(?:[-_.:]|$)|^kokoro/, "text_to_speech"],
  [/^sdxl|^flux/, "image_generation"],
];

const SEES = /^llava|^qwen2?(\.\d+)?-vl|[-_]vision|-vl-/;

/**
 * What a model can do (`capabilities`) and what it surely cannot (`lacks`): as its server says,
 * else as its name tells (last part of the path, in lower case). What is told of images alone
 * leaves the rest to the name.
 */
export function abilitiesOf(
  id: string,
  known: CapabilityReport | undefined,
): { capabilities: Capability[]; lacks: Capability[] } {
  const named = byName((id.split("/").at(-1) ?? id).toLowerCase());
  if (known === undefined) return named;
  const told = [...known.has, ...known.lacks];
  if (told.some((ability) => ability !== "vision")) {
    return { capabilities: known.has, lacks: known.lacks };
  }
  const rest = (list: Capability[]) => list.filter((ability) => ability !== "vision");
  const lacks = [...rest(named.lacks), ...known.lacks];
  return { capabilities: [...rest(named.capabilities), ...known.has], lacks };
}

function byName(name: string): { capabilities: Capability[]; lacks: Capability[] } {
  const [, only] = SINGLE.find(([pattern]) => pattern.test(name)) ?? [];
  if (only !== undefined) {
    return { capabilities: [only], lacks: CAPABILITIES.filter((ability) => ability !== only) };
  }
  const [, main] = TELLING.find(([pattern]) => pattern.test(name)) ?? [];
  if (main !== undefined) return { capabilities: [main], lacks: [] };
  return { capabilities: SEES.test(name) ? ["chat", "vision"] : ["chat"], lacks: [] };
}
