import type { Registry } from "../../../registry/registry.ts";
import { type Capability, capabilitiesObject } from "../../../wire/capability.ts";
import type { RegisteredModel } from "../../../wire/registry.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import type { DownloadProgress, Holdings } from "../sync/holdings.ts";
import { apisFor, type ModelView, viewOfModel } from "./view.ts";

export interface ListingParts {
  pool: UpstreamPool;
  registry: Registry;
  holdings: Holdings;
}

/** A model of the list. It may be one of many: what is shown of it is made when it is wanted. */
export interface ModelListItem<V = ModelView> {
  id: string;
  view(): V;
}

/** The models of the endpoints and of the registry, as `GET /v1/models` lists them, by id. */
export function listModels(parts: ListingParts): ModelListItem[] {
  const { pool, registry } = parts;
  const models = registry.list();
  const registered = models.map((model) => ({
    id: model.id,
    view: () => viewOfRegistered(parts, model),
  }));
  const listed = new Set(models.flatMap((model) => [model.id, ...onlyVariant(pool, model)]));
  const others = pool.models
    .filter((id) => !listed.has(id))
    .map((id) => ({ id, view: () => viewOfModel(pool, id) }));
  return [...registered, ...others].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The view of one model, by any of its names; undefined if there is no such model. */
export function findModelView(parts: ListingParts, name: string): ModelView | undefined {
  const { pool, registry } = parts;
  const id = pool.idOf(name);
  const registered = registry.get(registry.resolve(id)?.id ?? "");
  // A quantization that is served under a name of its own is a model of its own.
  const isOwnModel = registered?.id !== id && pool.serving(id).length > 0;
  if (registered !== undefined && (!isOwnModel || onlyVariant(pool, registered).includes(id))) {
    return viewOfRegistered(parts, registered);
  }
  return pool.serving(id).length > 0 ? viewOfModel(pool, id) : undefined;
}

/**
 * The name of the quantization that all endpoints serve, if they all serve the same: it is another
 * name of the model, not another model. Else none.
 */
function onlyVariant(pool: UpstreamPool, { id, variants }: RegisteredModel): string[] {
  const names = new Set(variants.map(({ quantization }) => `${id}:${quantization}`));
  const [only, ...more] = [...names].filter((name) => pool.serving(name).length > 0);
  if (only === undefined || more.length > 0) return [];
  const own = pool.serving(only);
  const all = pool.serving(id);
  return all.length === own.length && all.every((one) => own.includes(one)) ? [only] : [];
}

/** The view of a registered model, whether an endpoint has it or not. */
function viewOfRegistered({ pool, holdings }: ListingParts, model: RegisteredModel): ModelView {
  const { id, ready, repo, filename, tags, description, chat_template, source } = model;
  const view = viewOfModel(pool, id);
  const isServed = view.endpoint_ids.length > 0;
  const variants = onlyVariant(pool, model).flatMap((one) => [one, ...pool.aliasesOf(one)]);
  const capabilities = model.capabilities.flatMap((task) => TASK_CAPABILITIES[task] ?? []);
  return {
    ...view,
    ...(isServed ? {} : unservedFields(new Set(capabilities))),
    ready,
    ...lifecycleOf(holdings.progress(id), { ready, isServed }),
    created: Math.floor(Date.parse(model.registered_at) / 1000),
    owned_by: "load balancer",
    aliases: withoutLowerCase([id, ...model.aliases, ...view.aliases, ...variants])
      .slice(1)
      .sort(),
    ...{ repo, filename, source, tags, description, chat_template },
    ...{ size_bytes: model.size_bytes, required_memory_bytes: model.required_memory_bytes },
  };
}

/** How far nodes are with fetching a model; null if none fetches it and none failed. */
function lifecycleOf(
  { state, percent, bytes_downloaded, bytes_total, error }: DownloadProgress,
  { ready, isServed }: { ready: boolean; isServed: boolean },
): Pick<ModelView, "lifecycle_status" | "download_progress"> {
  const status = ready || !isServed ? "registered" : "pending";
  if (ready || (state !== "caching" && state !== "error")) {
    return { lifecycle_status: status, download_progress: null };
  }
  const download_progress = { percent, bytes_downloaded, bytes_total, error };
  return { lifecycle_status: state, download_progress };
}

/** Drops names that only repeat another one in lower case; those are for endpoints. */
function withoutLowerCase(names: readonly string[]): string[] {
  const mixed = new Set(names.filter((name) => name !== name.toLowerCase()));
  const lower = new Set([...mixed].map((name) => name.toLowerCase()));
  return [...new Set(names)].filter((name) => mixed.has(name) || !lower.has(name));
}

/** The fields of a model that no endpoint serves. */
function unservedFields(all: Set<Capability>) {
  const capabilities = capabilitiesObject([...all]);
  return { capabilities, supported_apis: apisFor(all), max_tokens: null };
}

/** The capabilities that a task of the hub stands for. */
const TASK_CAPABILITIES: Record<string, Capability[]> = {
  text_generation: ["chat", "completion"],
  embeddings: ["embeddings"],
  speech_to_text: ["speech_to_text"],
  text_to_speech: ["text_to_speech"],
  image_generation: ["image_generation"],
};
