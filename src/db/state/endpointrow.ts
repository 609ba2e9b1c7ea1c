import type { Insertable, Selectable, Updateable } from "kysely";
import { ENDPOINT_KINDS, EndpointStatus } from "../../wire/endpoint.ts";
import { parseAddress } from "./address.ts";
import {
  DeviceInfo,
  ENDPOINT_ORIGINS,
  type EndpointFields,
  type EndpointRow,
  type NewEndpoint,
} from "./endpoint.ts";
import { readJsonColumn, StringList } from "./jsoncolumn.ts";
import type { EndpointsTable } from "./schema.ts";
import type { SecretKey } from "./secretkey.ts";

const DEFAULTS: Omit<EndpointFields, "name" | "baseUrl"> = {
  apiKey: null,
  source: "api",
  nodeId: null,
  type: null,
  healthIntervalMs: null,
  inferenceTimeoutMs: null,
  notes: null,
  capabilities: ["chat_completion"],
  slots: null,
  draining: false,
  givenModels: null,
  fingerprint: null,
  deviceInfo: null,
};

/** The row of a new endpoint, `pending`. Throws `TypeError` for an invalid address. */
export function newRow(endpoint: NewEndpoint, secret: SecretKey): Insertable<EndpointsTable> {
  const { id = crypto.randomUUID(), registeredAt = Date.now(), ...fields } = endpoint;
  const columns = columnsOf(id, { ...DEFAULTS, ...fields }, secret);
  return { ...emptyRow(id, registeredAt), ...columns } as Insertable<EndpointsTable>;
}

/** The columns that a change sets; absent fields are left out. Throws `TypeError` as `newRow`. */
export function columnsOf(
  id: string,
  fields: Partial<EndpointFields>,
  secret: SecretKey,
): Updateable<EndpointsTable> {
  const { baseUrl, apiKey, capabilities, givenModels, deviceInfo } = fields;
  const address = baseUrl === undefined ? undefined : parseAddress(baseUrl);
  return withoutUndefined({
    name: fields.name,
    base_url: address?.shown,
    url_key: address?.key,
    api_key: typeof apiKey === "string" ? secret.seal(apiKey, id) : apiKey,
    source: fields.source,
    node_id: fields.nodeId,
    type: fields.type,
    own_interval_ms: fields.healthIntervalMs,
    own_timeout_ms: fields.inferenceTimeoutMs,
    notes: fields.notes,
    capabilities: capabilities === undefined ? undefined : JSON.stringify(capabilities),
    slots: fields.slots,
    draining: fields.draining === undefined ? undefined : Number(fields.draining),
    given_models: givenModels && JSON.stringify(givenModels),
    tls_fingerprint: fields.fingerprint,
    device_info: deviceInfo && JSON.stringify(deviceInfo),
  });
}

/** Reads a stored endpoint; a value that is not valid reads as its default. */
export function toEndpoint(row: Selectable<EndpointsTable>): EndpointRow {
  return {
    id: row.id,
    name: row.name,
    baseUrl: row.base_url,
    hasApiKey: row.api_key !== null,
    source: ENDPOINT_ORIGINS.find((origin) => origin === row.source) ?? "api",
    nodeId: row.node_id,
    type: ENDPOINT_KINDS.find((kind) => kind === row.type) ?? null,
    status: EndpointStatus.options.find((status) => status === row.status) ?? "pending",
    healthIntervalMs: row.own_interval_ms,
    inferenceTimeoutMs: row.own_timeout_ms,
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
    draining: row.draining === 1,
    givenModels: readJsonColumn(row.given_models, StringList.nullable(), null),
    fingerprint: row.tls_fingerprint,
    deviceInfo: readJsonColumn(row.device_info, DeviceInfo.nullable(), null),
    modelCount: row.model_count,
    modelsSyncedAt: row.models_synced_at,
    totalRequests: row.total_requests,
    succeededRequests: row.succeeded_requests,
    failedRequests: row.failed_requests,
  };
}

/** Columns that `columnsOf` always sets for a new endpoint are here for the type only. */
function emptyRow(id: string, registeredAt: number) {
  return {
    ...{ id, name: "", base_url: "", url_key: "", capabilities: "[]" },
    ...{ source: "api", status: "pending", draining: 0 },
    ...{ error_count: 0, registered_at: registeredAt, model_count: 0 },
    ...{ total_requests: 0, succeeded_requests: 0, failed_requests: 0 },
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(columns: T): Defined<T> {
  const defined = Object.entries(columns).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined) as Defined<T>;
}
