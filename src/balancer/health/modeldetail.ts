import { z } from "zod";
import { get } from "../../http/client/get.ts";
import { type CapabilityReport, readCapabilities } from "../../wire/capability.ts";
import type { ModelEntry } from "../../wire/openai.ts";
import type { Endpoint, ModelMap } from "../upstream/endpoint.ts";
import { type GetJsonOptions, getJson } from "../upstream/jsonclient.ts";
import { abilitiesOf } from "./modellist.ts";

/** Models that are asked about in one check, and at the same time; the rest comes with the next. */
const ASKED_MAX = 64;
const ASKED_AT_ONCE = 4;

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

type Asking = Pick<Endpoint, "target" | "facts" | "models">;

/**
 * A list of models with what only the server's own API tells of their abilities: LM Studio's list,
 * and Ollama's description of each model, which is asked for once for each. Never throws; what
 * cannot be found out stays as the names tell.
 */
export async function withDetails(
  endpoint: Asking,
  models: ModelMap,
  options: GetJsonOptions,
): Promise<ModelMap> {
  switch (endpoint.facts.kind) {
    case "lm_studio":
      return withKnown(models, await askLmStudio(endpoint, options));
    case "ollama":
      return askOllama(endpoint, models, options);
    default:
      return models;
  }
}

/** Version 1 of its API; version 0 calls things otherwise. */
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

async function askLmStudio(
  endpoint: Asking,
  options: GetJsonOptions,
): Promise<Map<string, CapabilityReport>> {
  const told = new Map<string, CapabilityReport>();
  for (const path of ["/api/v1/models", "/api/v0/models"]) {
    const answer = await getJson(endpoint, path, options);
    const list = answer.ok ? LmStudioList.safeParse(answer.json).data : undefined;
    for (const { key, id, type = "", capabilities, loaded_instances = [] } of list ?? []) {
      const base = BY_TYPE[type];
      if (base === undefined) continue;
      const said = readCapabilities(capabilities) ?? { has: [], lacks: [] };
      // Version 0 has a type of its own for models that see.
      const blind: CapabilityReport["lacks"] =
        type === "llm" && key === undefined ? ["vision"] : [];
      const known = {
        has: [...new Set([...base.has, ...said.has])],
        lacks: [...new Set([...base.lacks, ...said.lacks, ...blind])],
      };
      for (const name of [key, id, ...loaded_instances.map((one) => one.id)]) {
        if (name !== undefined) told.set(name, known);
      }
    }
    if (list !== undefined) break;
  }
  return told;
}

function withKnown(models: ModelMap, told: ReadonlyMap<string, CapabilityReport>): ModelMap {
  const detailed = new Map<string, ModelEntry>();
  for (const [id, entry] of models) {
    const known = told.get(id);
    detailed.set(id, known === undefined ? entry : { ...entry, ...abilitiesOf(id, known) });
  }
  return detailed;
}

/** Of models that it described before, and that are as old as then, it is not asked again. */
async function askOllama(
  endpoint: Asking,
  models: ModelMap,
  options: GetJsonOptions,
): Promise<ModelMap> {
  const detailed = new Map(models);
  const unknown: ModelEntry[] = [];
  for (const [id, entry] of models) {
    const before = endpoint.models?.get(id);
    if (before?.described !== true || before.created !== entry.created) unknown.push(entry);
    else {
      const { capabilities, lacks } = before;
      detailed.set(id, { ...entry, capabilities, lacks, described: true });
    }
  }
  const endMs = performance.now() + options.timeoutMs;
  const left = unknown.slice(0, ASKED_MAX).values();
  const worker = async () => {
    for (const entry of left) {
      if (performance.now() >= endMs) return;
      const shown = await show(endpoint, entry.id, options);
      if (shown === undefined) continue;
      const abilities = abilitiesOf(entry.id, shown.known);
      detailed.set(entry.id, { ...entry, ...abilities, described: true });
    }
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, worker));
  return detailed;
}

const Shown = z.looseObject({ capabilities: z.array(z.string()) });

/** `POST /api/show`; versions before May 2025 say nothing of abilities. Undefined if it fails. */
async function show(
  endpoint: Asking,
  model: string,
  { timeoutMs, signal }: GetJsonOptions,
): Promise<{ known: CapabilityReport | undefined } | undefined> {
  const { url, proxy, headers: own } = endpoint.target("/api/show");
  const headers = { ...own, "content-type": "application/json", accept: "application/json" };
  const body = new TextEncoder().encode(JSON.stringify({ model }));
  const asked = { url, proxy, headers, body, timeoutMs, signal, limitBytes: ANSWER_BYTES_MAX };
  try {
    const { head, body: answer } = await get(asked);
    if (head.status !== 200) return undefined;
    const json: unknown = JSON.parse(new TextDecoder().decode(answer));
    return { known: readCapabilities(Shown.safeParse(json).data?.capabilities) };
  } catch {
    return undefined; // The check itself tells what is wrong with the endpoint.
  }
}
