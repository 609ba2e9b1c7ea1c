import type { EndpointSetting, Settings } from "../../../config/settings.ts";
import type { State } from "../../../db/database.ts";
import type { EndpointFields, EndpointRow } from "../../../db/state/endpoint.ts";
import type { UniqueField } from "../../../db/state/endpoints.ts";
import { proxyFor } from "../../../http/client/proxy.ts";
import { Mutex } from "../../../lib/mutex.ts";
import { ApiError } from "../../../wire/error.ts";
import { fromStored } from "../../health/modellist.ts";
import type { Monitor } from "../../health/monitor.ts";
import { PENDING } from "../../health/state.ts";
import { Endpoint, type EndpointFacts } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

export interface EndpointRegistryOptions {
  state: State;
  pool: UpstreamPool;
  monitor: Monitor;
  settings: Settings;
}

/** What a new endpoint is given; the rest has defaults. */
export type NewEndpointFields = Pick<EndpointFields, "name" | "baseUrl" | "source"> &
  Partial<EndpointFields>;

/**
 * The one place that changes which endpoints there are: every change goes to the store first and
 * then to the pool and its monitor, one change at a time.
 */
export class EndpointRegistry {
  readonly #options: EndpointRegistryOptions;
  readonly #changing = new Mutex();

  constructor(options: EndpointRegistryOptions) {
    this.#options = options;
  }

  /** Takes in the stored endpoints, and brings those of the configuration up to date. */
  async load(): Promise<void> {
    const { state, settings } = this.#options;
    await this.#configure(settings.endpoints);
    const keys = await state.endpoints.apiKeys();
    for (const row of await state.endpoints.list()) {
      const endpoint = new Endpoint(this.#factsOf(row, keys.get(row.id)), row.id);
      // What it was is shown until the first check; it is used after that.
      endpoint.health = { ...PENDING, failures: row.errorCount };
      const { latencyMs, lastSeenAt, lastError } = row;
      endpoint.lastCheck = { latencyMs, lastSeenAt, lastError };
      endpoint.latency.restore(row.inferenceLatencyMs, row.inferenceMeasuredAt ?? 0);
      if (row.modelsSyncedAt !== null) {
        endpoint.models = fromStored(await state.models.of(row.id));
        endpoint.seenAt = Math.floor(row.modelsSyncedAt / 1000);
      }
      this.#join(endpoint);
    }
  }

  /**
   * Adds an endpoint, `pending`. Throws 409 for an address that is taken, and for a name that is,
   * unless it may be given another: then a number goes behind it.
   */
  create(given: NewEndpointFields, { rename = false } = {}): Promise<Endpoint> {
    return this.#changing.run(async () => {
      const { state, settings } = this.#options;
      const name = rename ? await this.#freeName(given.name, undefined) : given.name;
      this.#requireFreeName(name);
      const { healthIntervalMs } = settings;
      const created = await state.endpoints.create({ healthIntervalMs, ...given, name });
      if ("taken" in created) throw taken(created.taken);
      const { endpoint: row } = created;
      const endpoint = new Endpoint(this.#factsOf(row, given.apiKey ?? undefined), row.id);
      endpoint.graceUntil = performance.now() + row.healthIntervalMs;
      this.#join(endpoint);
      return endpoint;
    });
  }

  /**
   * Changes what is given and keeps the rest; null clears. With another address or key the endpoint
   * is pending until it is checked, which happens at once. Throws 404, or 409 for what is taken.
   */
  change(endpoint: Endpoint, given: Partial<EndpointFields>): Promise<void> {
    return this.#changing.run(async () => {
      const { state, pool } = this.#options;
      const before = endpoint.facts;
      if (given.name !== undefined && given.name !== before.name) this.#requireFreeName(given.name);
      if (before.source === "local") {
        endpoint.change(localFacts(given));
        return;
      }
      const updated = await state.endpoints.update(endpoint.id, given);
      if (updated === "not_found" || !pool.has(endpoint)) throw noEndpoint(endpoint.id);
      if ("taken" in updated) throw taken(updated.taken);
      const apiKey = given.apiKey === undefined ? before.apiKey : (given.apiKey ?? undefined);
      endpoint.change(this.#factsOf(updated.endpoint, apiKey));
      const { url, name } = endpoint.facts;
      if (url !== before.url || apiKey !== before.apiKey) this.#startOver(endpoint);
      else if (name !== before.name) pool.add(endpoint);
    });
  }

  /** Takes an endpoint out, with its models. Requests that it works on go on. Throws 404. */
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

  /** Adds the node beside this balancer, in memory only; it replaces the one before. */
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
    this.#join(endpoint);
  }

  /** What was found out about an endpoint. */
  async note(
    endpoint: Endpoint,
    found: Partial<Pick<EndpointFacts, "kind" | "deviceInfo">>,
  ): Promise<void> {
    endpoint.change(found);
    const { kind, deviceInfo } = found;
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

  /** Makes the store's `config` endpoints those of the configuration: by address, then by name. */
  async #configure(wanted: EndpointSetting[]): Promise<void> {
    const { endpoints } = this.#options.state;
    const { healthIntervalMs, firstByteTimeoutMs: inferenceTimeoutMs } = this.#options.settings;
    const found = await Promise.all(wanted.map(({ url }) => endpoints.byUrl(url)));
    const kept = new Set(found.map((row) => row?.id));
    for (const row of await endpoints.list()) {
      if (row.source === "config" && !kept.has(row.id)) await endpoints.remove(row.id);
    }
    for (const [i, { name: wish, url, apiKey = null }] of wanted.entries()) {
      const row = found[i];
      const name = await this.#freeName(wish, row?.id);
      const times = { healthIntervalMs, inferenceTimeoutMs };
      const fields = { name, baseUrl: url, apiKey, source: "config", ...times } as const;
      if (row !== undefined) await endpoints.update(row.id, fields);
      else await endpoints.create(fields);
    }
  }

  /** The name, or with a number after it if an endpoint other than `id` has it. */
  async #freeName(name: string, id: string | undefined): Promise<string> {
    for (let i = 1; ; i += 1) {
      const candidate = i === 1 ? name : `${name}-${i}`;
      const { state, pool } = this.#options;
      const isOther = (one: { id: string; name: string }) =>
        one.name === candidate && one.id !== id;
      // The local node is in no store.
      if (pool.endpoints.some(isOther)) continue;
      const owner = await state.endpoints.byName(candidate);
      if (owner === undefined || !isOther(owner)) return candidate;
    }
  }

  #join(endpoint: Endpoint): void {
    this.#options.pool.add(endpoint);
    this.#options.monitor.add(endpoint);
  }

  #startOver(endpoint: Endpoint): void {
    const { monitor } = this.#options;
    endpoint.latency.reset();
    endpoint.circuit.reset();
    monitor.remove(endpoint);
    endpoint.health = PENDING;
    endpoint.change({ kind: null, deviceInfo: null });
    endpoint.graceUntil = performance.now() + endpoint.facts.healthIntervalMs;
    monitor.add(endpoint);
  }

  #requireFreeName(name: string): void {
    if (this.#options.pool.endpoints.some((endpoint) => endpoint.name === name)) {
      throw taken("name");
    }
  }

  #factsOf(row: EndpointRow, apiKey: string | undefined): EndpointFacts {
    const { name, baseUrl: url, source, type: kind, healthIntervalMs, inferenceTimeoutMs } = row;
    const { notes, capabilities, slots, deviceInfo, registeredAt } = row;
    const { settings } = this.#options;
    const { defaultSlots: slotsDefault } = settings;
    return {
      ...{ name, url, apiKey, source, kind, healthIntervalMs, inferenceTimeoutMs },
      ...{ notes, capabilities, slots, slotsDefault, deviceInfo, registeredAt },
      proxy: proxyFor(url, settings),
    };
  }
}

/** The changes that a local node's endpoint takes, until the process ends. */
function localFacts(given: Partial<EndpointFields>): Partial<EndpointFacts> {
  const { notes, capabilities, slots, healthIntervalMs, inferenceTimeoutMs } = given;
  const facts = { notes, capabilities, slots, healthIntervalMs, inferenceTimeoutMs };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

function noEndpoint(id: string): ApiError {
  const message = `There is no endpoint ${JSON.stringify(id.slice(0, 100))}: \
see GET /api/endpoints for those there are.`;
  return new ApiError("not_found", message, { code: "endpoint_not_found" });
}

function taken(what: UniqueField): ApiError {
  const [param, thing] =
    what === "name" ? (["name", "name"] as const) : (["base_url", "address"] as const);
  const message = `The endpoint could not be saved: another one has this ${thing}. Choose another, \
or change that one.`;
  const code = what === "node" ? "duplicate_node" : `duplicate_${what}`;
  return new ApiError("conflict", message, { code, param });
}
