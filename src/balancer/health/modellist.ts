import { z } from "zod";
import { mapInTurns } from "../../lib/eventloop.ts";
import { type CapabilityReport, readCapabilities } from "../../wire/capability.ts";
import { listHolder, type ModelEntry } from "../../wire/openai.ts";
import type { ModelWarmthReport } from "../routing/modelwarmth.ts";
import type { ModelMap } from "../upstream/endpoint.ts";
import type { JsonAnswer } from "../upstream/jsonclient.ts";
import { LISTED_MODELS_MAX } from "../upstream/listedmodels.ts";
import { effectiveCapabilities } from "./modelcapability.ts";
import { stateOf } from "./warmthreport.ts";

/** An entry of a list. An invalid field counts as missing, so that the other entries are read. */
const Entry = z.looseObject({
  id: z.string().optional().catch(undefined),
  /** The name of a model in Ollama's own list. */
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
  /** llama-server, as a router of several models. */
  status: z
    .looseObject({ value: z.string(), failed: z.boolean().optional().catch(undefined) })
    .optional()
    .catch(undefined),
  capabilities: z.unknown().optional(),
  /** OpenRouter, and servers that follow it. */
  architecture: z
    .looseObject({ input_modalities: z.array(z.string()) })
    .nullish()
    .catch(undefined),
});

const Entries = z.array(z.unknown());

/** An answer that may be a list of models. */
type ListAnswer = Pick<JsonAnswer & { ok: true }, "json" | "longestList">;

/** The models of a list that are used, and how many entries it has. */
interface ModelList {
  models: ModelMap;
  listed: number;
  /** Which of them are loaded, where the list says so. */
  states: Map<string, ModelWarmthReport>;
}

/**
 * Reads a list of models as OpenAI (`{data: [{id}]}`) or Ollama (`{models: [{model | name}]}`)
 * writes it, or one without anything around it; a name may stand for an entry. Entries without a
 * name are skipped; of two with one name, the first counts; `null` is an empty list. Only the
 * first `LISTED_MODELS_MAX` entries are read. Undefined if it is neither format.
 */
export async function readModelList(answer: ListAnswer): Promise<ModelList | undefined> {
  const json = listHolder(answer.json);
  if (typeof json !== "object" || json === null) return undefined;
  const list = "data" in json ? json.data : "models" in json ? json.models : undefined;
  const entries = list === null ? [] : Entries.safeParse(list).data;
  if (entries === undefined) return undefined;
  const ollamaList = await declaredInOllamaList(json);
  const models = new Map<string, ModelEntry>();
  const states: ModelList["states"] = new Map();
  await mapInTurns(entries.slice(0, LISTED_MODELS_MAX), (value) => {
    const entry = Entry.safeParse(typeof value === "string" ? { id: value } : value).data;
    const id = entry?.id ?? entry?.model ?? entry?.name ?? "";
    if (entry === undefined || id === "" || models.has(id)) return;
    const { created, owned_by, meta, status } = entry;
    if (status !== undefined) {
      states.set(id, { state: status.failed ? "failed" : stateOf(status.value) });
    }
    const maxTokens = entry.max_model_len ?? entry.max_context_length ?? meta?.n_ctx_train;
    models.set(id, {
      id,
      ...(created === undefined ? {} : { created }),
      ...(owned_by === undefined ? {} : { owned_by }),
      ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
      ...effectiveCapabilities(id, declaredBy(entry) ?? ollamaList.get(id)),
    });
  });
  const isCut = entries.length >= LISTED_MODELS_MAX;
  const listed = isCut ? Math.max(entries.length, answer.longestList ?? 0) : entries.length;
  return { models, listed, states };
}

/** The capabilities that an entry declares; undefined if it declares none. */
function declaredBy({
  capabilities,
  architecture,
}: z.infer<typeof Entry>): CapabilityReport | undefined {
  const declared = readCapabilities(capabilities);
  if (declared !== undefined || architecture == null) return declared;
  const sees = architecture.input_modalities.includes("image");
  return sees ? { has: ["vision"], lacks: [] } : { has: [], lacks: ["vision"] };
}

/**
 * llama-server answers with a list in OpenAI's format and one in Ollama's. Only the latter declares
 * capabilities: here they are, by the models' ids.
 */
async function declaredInOllamaList(json: object): Promise<Map<string, CapabilityReport>> {
  const byId = new Map<string, CapabilityReport>();
  if (!("data" in json) || !("models" in json)) return byId;
  const entries = Entries.safeParse(json.models).data ?? [];
  await mapInTurns(entries.slice(0, LISTED_MODELS_MAX), (value) => {
    const entry = Entry.safeParse(value).data;
    const id = entry?.model ?? entry?.name;
    const declared = entry === undefined ? undefined : declaredBy(entry);
    if (id !== undefined && declared !== undefined) byId.set(id, declared);
  });
  return byId;
}
