import type { Registry } from "../../../registry/registry.ts";
import { type Capability, capabilitiesObject } from "../../../wire/capability.ts";
import type { RegisteredModel } from "../../../wire/registry.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import type { Fetching, Holdings } from "../sync/holdings.ts";
import { apisFor, type ModelView, viewOfModel } from "./view.ts";

export interface ListedParts {
  pool: UpstreamPool;
  registry: Registry;
  holdings: Holdings;
}

/** All that `GET /v1/models` lists of endpoints and of the registry, in the order of their ids. */
export function listedModels(parts: ListedParts): ModelView[] {
  const { pool, registry } = parts;
  const models = registry.list();
  const registered = models.map((model) => viewOfRegistered(parts, model));
  const known = new Set(models.flatMap((model) => [model.id, ...onlyVariant(pool, model)]));
  const others = pool.models.filter((id) => !known.has(id)).map((id) => viewOfModel(pool, id));
  return [...registered, ...others].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** One of them; undefined for a model that nobody knows. */
export function listedModel(parts: ListedParts, name: string): ModelView | undefined {
  const { pool, registry } = parts;
  const id = pool.idOf(name);
  const registered = registry.get(registry.resolve(id)?.id ?? "");
  // A quantization that is served for itself is another model than all of them together.
  const isOther = registered?.id !== id && pool.serving(id).length > 0;
  if (registered !== undefined && (!isOther || onlyVariant(pool, registered).includes(id))) {
    return viewOfRegistered(parts, registered);
  }
  return pool.serving(id).length > 0 ? viewOfModel(pool, id) : undefined;
}

/**
 * The quantization by which all endpoints that serve a model serve it, if it is one and the same:
 * then it is no other model, but another name of this one.
 */
function onlyVariant(pool: UpstreamPool, { id, variants }: RegisteredModel): string[] {
  const names = new Set(variants.map(({ quantization }) => `${id}:${quantization}`));
  const [only, ...more] = [...names].filter((name) => pool.serving(name).length > 0);
  if (only === undefined || more.length > 0) return [];
  const own = pool.serving(only);
  const all = pool.serving(id);
  return all.length === own.length && all.every((one) => own.includes(one)) ? [only] : [];
}

/** A registered model, whether an endpoint has it or not. */
function viewOfRegistered({ pool, holdings }: ListedParts, model: RegisteredModel): ModelView {
  const { id, ready, repo, filename, tags, description, chat_template, source } = model;
  const view = viewOfModel(pool, id);
  const isServed = view.endpoint_ids.length > 0;
  const variants = onlyVariant(pool, model).flatMap((one) => [one, ...pool.aliasesOf(one)]);
  const abilities = model.capabilities.flatMap((one) => ABILITIES[one] ?? []);
  return {
    ...view,
    ...(isServed ? {} : unserved(new Set(abilities))),
    ready,
    ...lifecycleOf(holdings.fetching(id), { ready, isServed }),
    created: Math.floor(Date.parse(model.registered_at) / 1000),
    owned_by: "load balancer",
    aliases: withoutLowered([id, ...model.aliases, ...view.aliases, ...variants])
      .slice(1)
      .sort(),
    ...{ repo, filename, source, tags, description, chat_template },
    ...{ size_bytes: model.size_bytes, required_memory_bytes: model.required_memory_bytes },
  };
}

/** How far a model is on its way to nodes; null where none fetches it or failed to. */
function lifecycleOf(
  { state, percent, bytes_downloaded, bytes_total, error }: Fetching,
  { ready, isServed }: { ready: boolean; isServed: boolean },
): Pick<ModelView, "lifecycle_status" | "download_progress"> {
  const known = ready || !isServed ? "registered" : "pending";
  if (ready || (state !== "caching" && state !== "error")) {
    return { lifecycle_status: known, download_progress: null };
  }
  const download_progress = { percent, bytes_downloaded, bytes_total, error };
  return { lifecycle_status: state, download_progress };
}

/** Names that only repeat another one in lower case are for endpoints, not for people. */
function withoutLowered(names: readonly string[]): string[] {
  const spelled = new Set(names.filter((name) => name !== name.toLowerCase()));
  const lowered = new Set([...spelled].map((name) => name.toLowerCase()));
  return [...new Set(names)].filter((name) => spelled.has(name) || !lowered.has(name));
}

function unserved(abilities: Set<Capability>) {
  const capabilities = capabilitiesObject([...abilities]);
  return { capabilities, supported_apis: apisFor(abilities), max_tokens: null };
}

/** What the hub's task means for requests. */
const ABILITIES: Record<string, Capability[]> = {
  text_generation: ["chat", "completion"],
  embeddings: ["embeddings"],
  speech_to_text: ["speech_to_text"],
  text_to_speech: ["text_to_speech"],
  image_generation: ["image_generation"],
};
