import { z } from "zod";
import { get } from "../../http/client/get.ts";
import { type CapabilityReport, readCapabilities } from "../../wire/capability.ts";
import type { ModelEntry } from "../../wire/openai.ts";
import type { Endpoint, ModelMap } from "../upstream/endpoint.ts";
import { type GetJsonOptions, getJson } from "../upstream/jsonclient.ts";
import { effectiveCapabilities } from "./modelcapability.ts";

/** Models that one check asks Ollama about; the next check asks about further ones. */
const QUERIES_MAX = 64;
const CONCURRENCY_MAX = 4;

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

type ModelSource = Pick<Endpoint, "target" | "facts" | "models">;

/**
 * Adds capabilities to a list of models that only the server's own API declares: LM Studio's list,
 * and Ollama's description of each model, which is requested once per model. Never throws; entries
 * of which nothing is found out stay as they are.
 */
export async function addDetails(
  endpoint: ModelSource,
  models: ModelMap,
  options: GetJsonOptions,
): Promise<ModelMap> {
  switch (endpoint.facts.kind) {
    case "lm_studio":
      return withDeclared(models, await declaredByLmStudio(endpoint, options));
    case "ollama":
      return withOllamaDetails(endpoint, models, options);
    default:
      return models;
  }
}

/** A model in version 1 of LM Studio's API (`key`) or in version 0 (`id`). */
const LmStudioModel = z.looseObject({
  key: z.string().optional().catch(undefined),
  id: z.string().optional().catch(undefined),
  type: z.string().optional().catch(undefined),
  capabilities: z.unknown().optional(),
  loaded_instances: z
    .array(z.looseObject({ id: z.string() }))
    .optional()
    .catch(undefined),
});
const LmStudioList = z.union([
  z.looseObject({ models: z.array(LmStudioModel) }).transform(({ models }) => models),
  z.looseObject({ data: z.array(LmStudioModel) }).transform(({ data }) => data),
]);

const BY_TYPE: Record<string, CapabilityReport> = {
  llm: { has: ["chat"], lacks: [] },
  vlm: { has: ["chat", "vision"], lacks: [] },
  embedding: { has: ["embeddings"], lacks: ["chat", "vision"] },
  embeddings: { has: ["embeddings"], lacks: ["chat", "vision"] },
};

async function declaredByLmStudio(
  endpoint: ModelSource,
  options: GetJsonOptions,
): Promise<Map<string, CapabilityReport>> {
  const declared = new Map<string, CapabilityReport>();
  for (const path of ["/api/v1/models", "/api/v0/models"]) {
    const answer = await getJson(endpoint, path, options);
    const list = answer.ok ? LmStudioList.safeParse(answer.json).data : undefined;
    for (const { key, id, type = "", capabilities, loaded_instances = [] } of list ?? []) {
      const base = BY_TYPE[type];
      if (base === undefined) continue;
      const own = readCapabilities(capabilities) ?? { has: [], lacks: [] };
      // Version 0 has the type `vlm` for models that see images.
      const blind: CapabilityReport["lacks"] =
        type === "llm" && key === undefined ? ["vision"] : [];
      const all = {
        has: [...new Set([...base.has, ...own.has])],
        lacks: [...new Set([...base.lacks, ...own.lacks, ...blind])],
      };
      for (const name of [key, id, ...loaded_instances.map((one) => one.id)]) {
        if (name !== undefined) declared.set(name, all);
      }
    }
    if (list !== undefined) break;
  }
  return declared;
}

function withDeclared(models: ModelMap, declared: ReadonlyMap<string, CapabilityReport>): ModelMap {
  const detailed = new Map<string, ModelEntry>();
  for (const [id, entry] of models) {
    const own = declared.get(id);
    detailed.set(id, own === undefined ? entry : { ...entry, ...effectiveCapabilities(id, own) });
  }
  return detailed;
}

/** A model that was described before, and whose `created` is the same, is not asked about again. */
async function withOllamaDetails(
  endpoint: ModelSource,
  models: ModelMap,
  options: GetJsonOptions,
): Promise<ModelMap> {
  const detailed = new Map(models);
  const undescribed: ModelEntry[] = [];
  for (const [id, entry] of models) {
    const before = endpoint.models?.get(id);
    if (before?.described !== true || before.created !== entry.created) undescribed.push(entry);
    else {
      const { capabilities, lacks } = before;
      detailed.set(id, { ...entry, capabilities, lacks, described: true });
    }
  }
  const endMs = performance.now() + options.timeoutMs;
  const remaining = undescribed.slice(0, QUERIES_MAX).values();
  const worker = async () => {
    for (const entry of remaining) {
      if (performance.now() >= endMs) return;
      const description = await describeOllamaModel(endpoint, entry.id, options);
      if (description === undefined) continue;
      const capabilities = effectiveCapabilities(entry.id, description.declared);
      detailed.set(entry.id, { ...entry, ...capabilities, described: true });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY_MAX }, worker));
  return detailed;
}

const OllamaDescription = z.looseObject({ capabilities: z.array(z.string()) });

/**
 * `POST /api/show`. Versions of Ollama before May 2025 declare no capabilities. Undefined if the
 * request fails.
 */
async function describeOllamaModel(
  endpoint: ModelSource,
  model: string,
  { timeoutMs, signal }: GetJsonOptions,
): Promise<{ declared: CapabilityReport | undefined } | undefined> {
  const { url, proxy, headers: own } = endpoint.target("/api/show");
  const headers = { ...own, "content-type": "application/json", accept: "application/json" };
  const body = new TextEncoder().encode(JSON.stringify({ model }));
  const request = { url, proxy, headers, body, timeoutMs, signal, limitBytes: ANSWER_BYTES_MAX };
  try {
    const { head, body: answer } = await get(request);
    if (head.status !== 200) return undefined;
    const json: unknown = JSON.parse(new TextDecoder().decode(answer));
    return { declared: readCapabilities(OllamaDescription.safeParse(json).data?.capabilities) };
  } catch {
    return undefined; // the check itself reports what is wrong with the endpoint
  }
}
