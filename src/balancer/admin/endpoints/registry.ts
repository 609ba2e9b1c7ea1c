import type { Settings } from "../../../config/settings.ts";
import type { EndpointSetting } from "../../../config/values/endpoint.ts";
import type { State } from "../../../db/database.ts";
import type { EndpointFields, EndpointRow } from "../../../db/state/endpoint.ts";
import type { UniqueField } from "../../../db/state/endpoints.ts";
import { proxyFor } from "../../../http/client/proxy.ts";
import { guardUrl } from "../../../http/ssrf.ts";
import { Mutex } from "../../../lib/mutex.ts";
import { ApiError } from "../../../wire/error.ts";
import { PENDING } from "../../health/healthstate.ts";
import { modelsOfRows } from "../../health/modelrows.ts";
import type { Monitor } from "../../health/monitor.ts";
import { Endpoint, type EndpointFacts } from "../../upstream/endpoint.ts";
import { LISTED_MODELS_MAX } from "../../upstream/listedmodels.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

export interface EndpointRegistryOptions {
  state: State;
  pool: UpstreamPool;
  monitor: Monitor;
  settings: Settings;
}

/** The fields of a new endpoint; the others have defaults. */
export type NewEndpointFields = Pick<EndpointFields, "name" | "baseUrl" | "source"> &
  Partial<EndpointFields>;

/**
 * The endpoints that are registered. All changes are made here, one at a time: first in the store,
 * then in the pool and the monitor.
 */
export class EndpointRegistry {
  readonly #options: EndpointRegistryOptions;
  readonly #changing = new Mutex();

  constructor(options: EndpointRegistryOptions) {
    this.#options = options;
  }

  /** Throws 400 `forbidden_address` for a URL that must not be called; see `guardUrl`. */
  guard(url: string, param: string): Promise<void> {
    const { allowMetadataAddresses } = this.#options.settings;
    return guardUrl(url, param, { allowMetadataAddresses });
  }

  /** Loads the endpoints of the store, after updating those of the configuration. */
  async load(): Promise<void> {
    const { state, settings } = this.#options;
    await this.#configure(settings.endpoints);
    const keys = await state.endpoints.apiKeys();
    for (const row of await state.endpoints.list()) {
      const endpoint = new Endpoint(this.#factsOf(row, keys.get(row.id)), row.id);
      // The state before the restart is shown until the first check is done.
      endpoint.health = { ...PENDING, failures: row.errorCount };
      const { latencyMs, lastSeenAt, lastError } = row;
      endpoint.lastCheck = { latencyMs, lastSeenAt, lastError };
      endpoint.latency.restore(row.inferenceLatencyMs, row.inferenceMeasuredAt ?? 0);
      if (row.modelsSyncedAt !== null) {
        endpoint.models = modelsOfRows(await state.models.of(row.id, { limit: LISTED_MODELS_MAX }));
        endpoint.seenAt = Math.floor(row.modelsSyncedAt / 1000);
      }
      this.#add(endpoint);
    }
  }

  /**
   * Adds an endpoint, `pending`. Throws 409 if another endpoint has the address, or the name; with
   * `rename`, a number is appended to the name instead.
   */
  create(fields: NewEndpointFields, { rename = false } = {}): Promise<Endpoint> {
    return this.#changing.run(async () => {
      const { state } = this.#options;
      const name = rename ? await this.#freeName(fields.name, undefined) : fields.name;
      this.#requireFreeName(name);
      const created = await state.endpoints.create({ ...fields, name });
      if ("taken" in created) throw duplicate(created.taken);
      const { endpoint: row } = created;
      const endpoint = new Endpoint(this.#factsOf(row, fields.apiKey ?? undefined), row.id);
      endpoint.graceUntil = performance.now() + endpoint.facts.healthIntervalMs;
      this.#add(endpoint);
      return endpoint;
    });
  }

  /**
   * Changes these fields; null clears one. With another address or key the endpoint is pending
   * until it is checked, which happens at once. Throws 404, or 409 if another endpoint has name or
   * address.
   */
  change(endpoint: Endpoint, fields: Partial<EndpointFields>): Promise<void> {
    return this.#changing.run(async () => {
      const { state, pool, monitor } = this.#options;
      const before = endpoint.facts;
      if (fields.name !== undefined && fields.name !== before.name) {
        this.#requireFreeName(fields.name);
      }
      if (before.source === "local") {
        endpoint.change(localFacts(fields, this.#options.settings));
        return;
      }
      const updated = await state.endpoints.update(endpoint.id, fields);
      if (updated === "not_found" || !pool.has(endpoint)) throw noEndpoint(endpoint.id);
      if ("taken" in updated) throw duplicate(updated.taken);
      const apiKey = fields.apiKey === undefined ? before.apiKey : (fields.apiKey ?? undefined);
      endpoint.change(this.#factsOf(updated.endpoint, apiKey));
      const { url, name } = endpoint.facts;
      const isOther =
        url !== before.url ||
        apiKey !== before.apiKey ||
        endpoint.facts.fingerprint !== before.fingerprint;
      if (isOther) this.#restart(endpoint);
      else if (name !== before.name) pool.add(endpoint);
      if (fields.givenModels !== undefined) void monitor.checkNow(endpoint);
    });
  }

  /**
   * Gives an endpoint no further requests, or again some; streams that it works on go on at others
   * that can continue them, and all else there. That it is
   * drained outlives a restart, unless it is the local one. Throws 404.
   */
  drain(endpoint: Endpoint, draining: boolean): Promise<void> {
    return this.#changing.run(async () => {
      const { state, pool, monitor } = this.#options;
      const isStored = endpoint.facts.source !== "local";
      const updated = isStored && (await state.endpoints.update(endpoint.id, { draining }));
      if (updated === "not_found" || !pool.has(endpoint)) throw noEndpoint(endpoint.id);
      endpoint.change({ draining });
      endpoint.movedStreams = 0;
      if (draining) endpoint.silent.move();
      else monitor.takesRequests(endpoint);
    });
  }

  /** Removes an endpoint and its models. Requests at it go on. Throws 404. */
  remove(endpoint: Endpoint): Promise<void> {
    return this.#changing.run(async () => {
      const { state, pool, monitor } = this.#options;
      const nodeId = (await state.endpoints.get(endpoint.id))?.nodeId ?? null;
      const removed = await state.endpoints.remove(endpoint.id);
      if (nodeId !== null) await state.enrolment.revokeNodeKey(nodeId);
      if (!removed || !pool.has(endpoint)) throw noEndpoint(endpoint.id);
      pool.remove(endpoint);
      monitor.remove(endpoint);
    });
  }

  /** Adds the node beside this balancer, in memory only, in place of an earlier one. */
  setLocal({ name, url, apiKey }: EndpointSetting): void {
    const { pool, monitor, settings } = this.#options;
    const { healthIntervalMs, firstByteTimeoutMs: inferenceTimeoutMs } = settings;
    const before = pool.endpoints.find(({ facts }) => facts.source === "local");
    const facts: Partial<EndpointFacts> = {
      ...{ source: "local", kind: "llmlb", healthIntervalMs, inferenceTimeoutMs },
      ...{ registeredAt: before?.facts.registeredAt ?? Date.now() },
      slotsDefault: settings.defaultSlots,
      ...(apiKey === undefined ? {} : { apiKey }),
    };
    const endpoint = new Endpoint({ ...before?.facts, ...facts, name, url }, name);
    if (before !== undefined) {
      pool.remove(before);
      monitor.remove(before);
    }
    this.#add(endpoint);
  }

  /** Saves what was detected of an endpoint. */
  async saveDetected(
    endpoint: Endpoint,
    detected: Partial<Pick<EndpointFacts, "kind" | "deviceInfo">>,
  ): Promise<void> {
    endpoint.change(detected);
    const { kind, deviceInfo } = detected;
    await this.#options.state.endpoints.update(endpoint.id, {
      ...(kind === undefined ? {} : { type: kind }),
      ...(deviceInfo === undefined ? {} : { deviceInfo }),
    });
  }

  /** The endpoint with this id. Throws 404. */
  get(id: string): Endpoint {
    const endpoint = this.#options.pool.get(id);
    if (endpoint === undefined) throw noEndpoint(id);
    return endpoint;
  }

  /** Makes the `config` endpoints of the store those of the configuration, matched by address. */
  async #configure(configured: EndpointSetting[]): Promise<void> {
    const { endpoints } = this.#options.state;
    const rows = await Promise.all(configured.map(({ url }) => endpoints.byUrl(url)));
    const kept = new Set(rows.map((row) => row?.id));
    for (const row of await endpoints.list()) {
      if (row.source === "config" && !kept.has(row.id)) await endpoints.remove(row.id);
    }
    for (const [i, given] of configured.entries()) {
      const { name: wantedName, url, apiKey = null, models: givenModels = null } = given;
      const { fingerprint = null } = given;
      const row = rows[i];
      const name = await this.#freeName(wantedName, row?.id);
      const times = { healthIntervalMs: null, inferenceTimeoutMs: null };
      const own = { name, baseUrl: url, apiKey, givenModels, fingerprint };
      const fields = { ...own, source: "config", ...times } as const;
      if (row !== undefined) await endpoints.update(row.id, fields);
      else await endpoints.create(fields);
    }
  }

  /** The name, with a number appended if another endpoint than `id` has it. */
  async #freeName(name: string, id: string | undefined): Promise<string> {
    for (let i = 1; ; i += 1) {
      const candidate = i === 1 ? name : `${name}-${i}`;
      const { state, pool } = this.#options;
      const isOther = (one: { id: string; name: string }) =>
        one.name === candidate && one.id !== id;
      // The local node is not in the store.
      if (pool.endpoints.some(isOther)) continue;
      const owner = await state.endpoints.byName(candidate);
      if (owner === undefined || !isOther(owner)) return candidate;
    }
  }

  #add(endpoint: Endpoint): void {
    this.#options.pool.add(endpoint);
    this.#options.monitor.add(endpoint);
  }

  /** Forgets what was known of the endpoint, and checks it as if it were new. */
  #restart(endpoint: Endpoint): void {
    const { monitor } = this.#options;
    endpoint.latency.reset();
    endpoint.circuits.reset();
    monitor.remove(endpoint);
    endpoint.health = PENDING;
    endpoint.change({ kind: null, deviceInfo: null });
    endpoint.graceUntil = performance.now() + endpoint.facts.healthIntervalMs;
    monitor.add(endpoint);
  }

  #requireFreeName(name: string): void {
    if (this.#options.pool.endpoints.some((endpoint) => endpoint.name === name)) {
      throw duplicate("name");
    }
  }

  #factsOf(row: EndpointRow, apiKey: string | undefined): EndpointFacts {
    const { name, baseUrl: url, source, type: kind } = row;
    const { notes, capabilities, slots, draining, givenModels, deviceInfo, registeredAt } = row;
    const { settings } = this.#options;
    const { defaultSlots: slotsDefault } = settings;
    return {
      ...{ name, url, apiKey, source, kind },
      healthIntervalMs: row.healthIntervalMs ?? settings.healthIntervalMs,
      inferenceTimeoutMs: row.inferenceTimeoutMs ?? settings.firstByteTimeoutMs,
      ...{ notes, capabilities, slots, slotsDefault, draining, givenModels, deviceInfo },
      registeredAt,
      ...{ proxy: proxyFor(url, settings), fingerprint: row.fingerprint },
      guarded: !settings.allowMetadataAddresses,
    };
  }
}

/** The fields of the local node's endpoint that can be changed, until the process ends. */
function localFacts(
  fields: Partial<EndpointFields>,
  settings: Pick<Settings, "healthIntervalMs" | "firstByteTimeoutMs">,
): Partial<EndpointFacts> {
  const { notes, capabilities, slots, healthIntervalMs, inferenceTimeoutMs } = fields;
  const facts = {
    ...{ notes, capabilities, slots },
    healthIntervalMs: healthIntervalMs === null ? settings.healthIntervalMs : healthIntervalMs,
    inferenceTimeoutMs:
      inferenceTimeoutMs === null ? settings.firstByteTimeoutMs : inferenceTimeoutMs,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

function noEndpoint(id: string): ApiError {
  const message = `There is no endpoint ${JSON.stringify(id.slice(0, 100))}: \
see GET /api/endpoints for those there are.`;
  return new ApiError("not_found", message, { code: "endpoint_not_found" });
}

function duplicate(field: UniqueField): ApiError {
  const [param, thing] =
    field === "name" ? (["name", "name"] as const) : (["base_url", "address"] as const);
  const message = `The endpoint could not be saved: another one has this ${thing}. Choose another, \
or change that one.`;
  const code = field === "node" ? "duplicate_node" : `duplicate_${field}`;
  return new ApiError("conflict", message, { code, param });
}
