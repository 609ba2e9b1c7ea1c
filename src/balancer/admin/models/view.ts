import { type CapabilitiesObject, capabilitiesObject } from "../../../wire/capability.ts";
import { ModelEntryFields } from "../../health/modelrows.ts";
import { isInUse } from "../../routing/selection.ts";
import { modelEntryOf } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

/** A model as `GET /v1/models` shows it. */
export interface ModelView {
  id: string;
  object: "model";
  /** Unix seconds: as its endpoint lists it, else when it was listed first. */
  created: number;
  owned_by: string;
  /** Whether an endpoint serves it that is online and not drained. */
  ready: boolean;
  /** Whether one of those has it loaded; null: none of them tells. */
  loaded: boolean | null;
  capabilities: CapabilitiesObject;
  /** Other names that requests may use. */
  aliases: string[];
  /** Names of the endpoints that serve it, online or not. */
  endpoint_ids: string[];
  /** The APIs in which it can be used. */
  supported_apis: string[];
  lifecycle_status: LifecycleStatus;
  /** The progress of nodes that fetch it; null if none does. */
  download_progress: object | null;
  /** The longest context that an endpoint lists; null if none lists one. */
  max_tokens: number | null;
}

/**
 * `registered`: an endpoint that is online serves it, or no endpoint has it yet. `pending`:
 * endpoints have it, but none of them is online and takes requests. `caching`: nodes fetch it.
 * `error`: all nodes failed to fetch it.
 */
export type LifecycleStatus = "registered" | "pending" | "caching" | "error";

/** The view of a model, as the endpoints that serve it list it. */
export function viewOfModel(pool: UpstreamPool, id: string): ModelView {
  const serving = pool.serving(id);
  const entries = serving.map((endpoint) => modelEntryOf(endpoint, id));
  const online = serving.filter(({ health }) => health.status === "online");
  const ready = online.some(isInUse);
  const states = online.map(({ warmth }) => warmth.stateOf(id)).filter((one) => one !== "unknown");
  const { created = 0, owned_by = "endpoint" } = ModelEntryFields.parse(entries[0] ?? {});
  const capabilities = new Set(
    entries.flatMap((entry) => ModelEntryFields.parse(entry).capabilities ?? ["chat"]),
  );
  const lengths = entries.map((entry) => ModelEntryFields.parse(entry).max_tokens ?? 0);
  return {
    id,
    object: "model",
    created: created > 0 ? created : (serving[0]?.seenAt ?? 0),
    owned_by,
    ready,
    loaded: states.length === 0 ? null : states.includes("loaded"),
    capabilities: capabilitiesObject([...capabilities]),
    aliases: pool.aliasesOf(id),
    endpoint_ids: serving.map(({ name }) => name).sort(),
    supported_apis: apisFor(capabilities),
    lifecycle_status: ready ? "registered" : "pending",
    download_progress: null,
    max_tokens: Math.max(...lengths) || null,
  };
}

/**
 * The APIs in which a model can be used. One that chats is used in all chat APIs, because requests
 * are translated for endpoints that lack one.
 */
export function apisFor(capabilities: ReadonlySet<string>): string[] {
  const chat = capabilities.has("chat") ? ["chat_completions", "responses", "messages"] : [];
  return [...chat, ...(capabilities.has("embeddings") ? ["embeddings"] : [])];
}
