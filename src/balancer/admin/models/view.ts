import { type CapabilitiesObject, capabilitiesObject } from "../../../wire/capability.ts";
import { Stored } from "../../health/modellist.ts";
import { modelEntryOf } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

/** A model as `GET /v1/models` shows it. */
export interface ModelView {
  id: string;
  object: "model";
  /** Unix seconds: as its endpoint says, else when it was seen first. */
  created: number;
  owned_by: string;
  /** Some endpoint that is online serves it. */
  ready: boolean;
  capabilities: CapabilitiesObject;
  /** Other names by which clients may ask for it. */
  aliases: string[];
  /** Names of the endpoints that serve it, online or not. */
  endpoint_ids: string[];
  /** The APIs by which it can be asked. */
  supported_apis: string[];
  lifecycle_status: LifecycleStatus;
  /** Of nodes that fetch it; null while none does. */
  download_progress: object | null;
  /** The longest context of those that tell; null where none does. */
  max_tokens: number | null;
}

/**
 * `registered`: requests can be served, or nobody has it yet. `pending`: endpoints have it, none
 * is online. `caching`: nodes fetch it. `error`: none could.
 */
export type LifecycleStatus = "registered" | "pending" | "caching" | "error";

/** Describes a model that some endpoint serves. */
export function viewOfModel(pool: UpstreamPool, id: string): ModelView {
  const serving = pool.serving(id);
  const entries = serving.map((endpoint) => modelEntryOf(endpoint, id));
  const ready = serving.some(({ health }) => health.status === "online");
  const { created = 0, owned_by = "endpoint" } = Stored.parse(entries[0] ?? {});
  const said = new Set(entries.flatMap((entry) => Stored.parse(entry).capabilities ?? ["chat"]));
  const lengths = entries.map((entry) => Stored.parse(entry).max_tokens ?? 0);
  return {
    id,
    object: "model",
    created: created > 0 ? created : (serving[0]?.seenAt ?? 0),
    owned_by,
    ready,
    capabilities: capabilitiesObject([...said]),
    aliases: pool.aliasesOf(id),
    endpoint_ids: serving.map(({ name }) => name).sort(),
    supported_apis: apisFor(said),
    lifecycle_status: ready ? "registered" : "pending",
    download_progress: null,
    max_tokens: Math.max(...lengths) || null,
  };
}

/** Whoever chats is asked in every dialect: what an endpoint does not speak is translated. */
export function apisFor(abilities: ReadonlySet<string>): string[] {
  const chat = abilities.has("chat") ? ["chat_completions", "responses", "messages"] : [];
  return [...chat, ...(abilities.has("embeddings") ? ["embeddings"] : [])];
}
