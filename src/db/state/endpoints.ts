import type { Insertable, Kysely, Selectable, Updateable } from "kysely";
import { z } from "zod";
import type { Logger } from "../../lib/log.ts";
import { isDuplicate } from "../engine/error.ts";
import type { EndpointHealth, HistoryWriter, InferenceLatency } from "../history/writer.ts";
import type { EndpointsTable, StateSchema } from "../schema.ts";
import { parseAddress } from "./address.ts";
import { readJsonColumn, StringList } from "./jsoncolumn.ts";
import type { SecretKey } from "./secretkey.ts";

const STATUSES = ["pending", "online", "offline", "error"] as const;
const TYPES = [
  ...(["llmlb", "llama_server", "ollama", "vllm"] as const),
  ...(["lm_studio", "openai_compatible"] as const),
] as const;
const SOURCES = ["api", "config", "node"] as const;

export type EndpointStatus = (typeof STATUSES)[number];
/** Who registered an endpoint: an operator, the configuration, or a node by itself. */
export type EndpointOrigin = (typeof SOURCES)[number];
/** What answered at an endpoint's address. */
export type EndpointType = (typeof TYPES)[number];

/** What an endpoint told about its machine (`GET /api/system`). */
export const DeviceInfo = z.object({
  device_type: z.enum(["cpu", "gpu"]).catch("cpu"),
  gpu_devices: z
    .array(
      z.object({
        name: z.string(),
        total_memory_bytes: z.number().nonnegative().catch(0),
        used_memory_bytes: z.number().nonnegative().catch(0),
      }),
    )
    .catch([]),
});
export type DeviceInfo = z.infer<typeof DeviceInfo>;

/** What an operator or a node may say about an endpoint. */
export interface EndpointFields {
  /** Unique; case matters. */
  name: string;
  /** Unique once normalised: see `readAddress`. Credentials in it are dropped. */
  baseUrl: string;
  /** Kept encrypted. */
  apiKey: string | null;
  source: EndpointOrigin;
  /** The enrolled node behind it. Unique. */
  nodeId: string | null;
  /** Undetected as long as it is null. */
  type: EndpointType | null;
  healthIntervalMs: number;
  inferenceTimeoutMs: number;
  notes: string | null;
  capabilities: string[];
  /** Requests it works on at once; null where nobody said so. */
  slots: number | null;
  deviceInfo: DeviceInfo | null;
}

/** An endpoint as it is stored. Its API key is not part of it: see `apiKeys`. */
export interface EndpointRow extends Omit<EndpointFields, "apiKey"> {
  id: string;
  status: EndpointStatus;
  hasApiKey: boolean;
  /** Duration of the last health check; null when it failed. */
  latencyMs: number | null;
  /** Moving average over inference requests; null is unmeasured. */
  inferenceLatencyMs: number | null;
  inferenceMeasuredAt: number | null;
  lastSeenAt: number | null;
  lastError: string | null;
  errorCount: number;
  registeredAt: number;
  modelCount: number;
  modelsSyncedAt: number | null;
  totalRequests: number;
  succeededRequests: number;
  failedRequests: number;
}

/** A new endpoint; all but name and address have defaults. */
export type NewEndpoint = Pick<EndpointFields, "name" | "baseUrl"> &
  Partial<EndpointFields> & {
    /** Default: a new UUID. */
    id?: string;
    /** Default: now. */
    registeredAt?: number;
  };

/** What must be unique and is taken. */
export type UniqueField = "name" | "url" | "node";
export type CreateResult = { endpoint: EndpointRow } | { taken: UniqueField };
export type UpdateResult = CreateResult | "not_found";

export interface EndpointFilter {
  status?: EndpointStatus;
  type?: EndpointType;
}

const DEFAULTS: Omit<EndpointFields, "name" | "baseUrl"> = {
  apiKey: null,
  source: "api",
  nodeId: null,
  type: null,
  healthIntervalMs: 30_000,
  inferenceTimeoutMs: 120_000,
  notes: null,
  capabilities: ["chat_completion"],
  slots: null,
  deviceInfo: null,
};

export interface EndpointsOptions {
  db: Kysely<StateSchema>;
  secret: SecretKey;
  writer: HistoryWriter;
  log: Logger;
}

/** The endpoints that requests can be routed to. */
export class Endpoints {
  readonly #db: Kysely<StateSchema>;
  readonly #secret: SecretKey;
  readonly #writer: HistoryWriter;
  readonly #log: Logger;

  constructor({ db, secret, writer, log }: EndpointsOptions) {
    this.#db = db;
    this.#secret = secret;
    this.#writer = writer;
    this.#log = log;
  }

  /** Adds an endpoint, `pending`. Throws `TypeError` for an address that is none. */
  async create(given: NewEndpoint): Promise<CreateResult> {
    const { id = crypto.randomUUID(), registeredAt = Date.now(), ...fields } = given;
    const columns = this.#columnsOf(id, { ...DEFAULTS, ...fields });
    return takenOr(async () => {
      const row = await this.#db
        .insertInto("endpoints")
        .values({ ...blank(id, registeredAt), ...columns } as Insertable<EndpointsTable>)
        .returningAll()
        .executeTakeFirstOrThrow();
      return { endpoint: toEndpoint(row) };
    });
  }

  /** Changes what is given and keeps the rest; null clears. */
  async update(id: string, given: Partial<EndpointFields>): Promise<UpdateResult> {
    const columns = this.#columnsOf(id, given);
    if (Object.keys(columns).length === 0) {
      const endpoint = await this.get(id);
      return endpoint === undefined ? "not_found" : { endpoint };
    }
    return takenOr(async () => {
      const query = this.#db.updateTable("endpoints").set(columns).where("id", "=", id);
      const row = await query.returningAll().executeTakeFirst();
      return row === undefined ? "not_found" : { endpoint: toEndpoint(row) };
    });
  }

  /** Removes an endpoint with its models; false if there is none. */
  async remove(id: string): Promise<boolean> {
    const query = this.#db.deleteFrom("endpoints").where("id", "=", id);
    return (await query.executeTakeFirst()).numDeletedRows > 0n;
  }

  async get(id: string): Promise<EndpointRow | undefined> {
    return this.#find("id", id);
  }

  async byName(name: string): Promise<EndpointRow | undefined> {
    return this.#find("name", name);
  }

  /** The endpoint with this address, however it is spelled. */
  async byUrl(baseUrl: string): Promise<EndpointRow | undefined> {
    return this.#find("url_key", parseAddress(baseUrl).key);
  }

  async byNode(nodeId: string): Promise<EndpointRow | undefined> {
    return this.#find("node_id", nodeId);
  }

  /** All endpoints, oldest first. */
  async list({ status, type }: EndpointFilter = {}): Promise<EndpointRow[]> {
    let query = this.#db.selectFrom("endpoints").selectAll();
    if (status !== undefined) query = query.where("status", "=", status);
    if (type !== undefined) query = query.where("type", "=", type);
    const rows = await query.orderBy("registered_at").orderBy("id").execute();
    return rows.map(toEndpoint);
  }

  /** Notes the state of an endpoint, within half a second and without waiting or failing. */
  saveHealth(id: string, health: EndpointHealth): void {
    this.#writer.health(id, health);
  }

  /** Notes an endpoint's inference latency, within half a second and without waiting or failing. */
  saveLatency(id: string, latency: InferenceLatency): void {
    this.#writer.latency(id, latency);
  }

  /**
   * The API keys of all endpoints, or of one, by endpoint id. A key that `secret.key` does not
   * open is logged and left out, so that the other endpoints keep working.
   */
  async apiKeys(id?: string): Promise<Map<string, string>> {
    let query = this.#db.selectFrom("endpoints").select(["id", "name", "api_key"]);
    if (id !== undefined) query = query.where("id", "=", id);
    const keys = new Map<string, string>();
    for (const row of await query.where("api_key", "is not", null).execute()) {
      try {
        if (row.api_key !== null) keys.set(row.id, this.#secret.open(row.api_key, row.id));
      } catch (err) {
        const advice = "set the endpoint's API key again";
        this.#log.error({ endpoint: row.name, err, advice }, "endpoint.key_unreadable");
      }
    }
    return keys;
  }

  #columnsOf(id: string, given: Partial<EndpointFields>): Updateable<EndpointsTable> {
    const { baseUrl, apiKey, capabilities, deviceInfo } = given;
    const address = baseUrl === undefined ? undefined : parseAddress(baseUrl);
    return defined({
      name: given.name,
      base_url: address?.shown,
      url_key: address?.key,
      api_key: typeof apiKey === "string" ? this.#secret.seal(apiKey, id) : apiKey,
      source: given.source,
      node_id: given.nodeId,
      type: given.type,
      health_interval_ms: given.healthIntervalMs,
      inference_timeout_ms: given.inferenceTimeoutMs,
      notes: given.notes,
      capabilities: capabilities === undefined ? undefined : JSON.stringify(capabilities),
      slots: given.slots,
      device_info: deviceInfo && JSON.stringify(deviceInfo),
    });
  }

  async #find(column: "id" | "name" | "url_key" | "node_id", value: string) {
    const query = this.#db.selectFrom("endpoints").selectAll().where(column, "=", value);
    const row = await query.executeTakeFirst();
    return row === undefined ? undefined : toEndpoint(row);
  }
}

/** What `columnsOf` always overwrites is here for the type only. */
function blank(id: string, registeredAt: number) {
  return {
    ...{ id, name: "", base_url: "", url_key: "", capabilities: "[]" },
    ...{ source: "api", status: "pending", health_interval_ms: 0, inference_timeout_ms: 0 },
    ...{ error_count: 0, registered_at: registeredAt, model_count: 0 },
    ...{ total_requests: 0, succeeded_requests: 0, failed_requests: 0 },
  };
}

/** Without the columns that are not given. */
function defined<T extends object>(columns: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const given = Object.entries(columns).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

async function takenOr<T>(work: () => Promise<T>): Promise<T | { taken: UniqueField }> {
  try {
    return await work();
  } catch (error) {
    if (isDuplicate(error, "endpoints.name")) return { taken: "name" };
    if (isDuplicate(error, "endpoints.url_key")) return { taken: "url" };
    if (isDuplicate(error, "endpoints.node_id")) return { taken: "node" };
    throw error;
  }
}

function toEndpoint(row: Selectable<EndpointsTable>): EndpointRow {
  return {
    id: row.id,
    name: row.name,
    baseUrl: row.base_url,
    hasApiKey: row.api_key !== null,
    source: SOURCES.find((source) => source === row.source) ?? "api",
    nodeId: row.node_id,
    type: TYPES.find((type) => type === row.type) ?? null,
    status: STATUSES.find((status) => status === row.status) ?? "pending",
    healthIntervalMs: row.health_interval_ms,
    inferenceTimeoutMs: row.inference_timeout_ms,
    latencyMs: row.latency_ms,
    inferenceLatencyMs: row.inference_latency_ms,
    inferenceMeasuredAt: row.inference_measured_at,
    lastSeenAt: row.last_seen_at,
    lastError: row.last_error,
    errorCount: row.error_count,
    registeredAt: row.registered_at,
    notes: row.notes,
    capabilities: readJsonColumn(row.capabilities, StringList, DEFAULTS.capabilities),
    slots: row.slots,
    deviceInfo: readJsonColumn(row.device_info, DeviceInfo.nullable(), null),
    modelCount: row.model_count,
    modelsSyncedAt: row.models_synced_at,
    totalRequests: row.total_requests,
    succeededRequests: row.succeeded_requests,
    failedRequests: row.failed_requests,
  };
}
