import { VERSION } from "../../config/version.ts";
import type { Principal } from "../../http/server/principal.ts";
import type { Registry } from "../../registry/registry.ts";
import type { EndedRequest, LiveEvent, LiveMetrics, LiveRequest } from "../../wire/event.ts";
import { loadView } from "../admin/endpoints/hostview.ts";
import { endpointState } from "../admin/endpoints/view.ts";
import type { Holdings } from "../admin/sync/holdings.ts";
import type { RequestRecord } from "../record/record.ts";
import type { TokenCount } from "../record/tokencount.ts";
import type { Scheduler } from "../routing/scheduler.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import { HostViews } from "./hostviews.ts";
import { EventHub, type EventOwner, maySee } from "./hub.ts";
import { LoadWatch } from "./loadwatch.ts";
import { MetricsWindow } from "./metricswindow.ts";
import { RecentWindows } from "./recentwindows.ts";
import { Watch } from "./watch.ts";

export interface LiveEventsParts {
  pool: UpstreamPool;
  registry: Pick<Registry, "revision">;
  holdings: Pick<Holdings, "pulls">;
  gate: { readonly scheduler: Pick<Scheduler<Endpoint>, "waiting" | "waitingByModel"> };
}

const TICK_MS = 1000;
/** What a check has changed is told after this, together with what others have. */
const SOON_MS = 50;
/** Looking at thousands of endpoints takes a while: this many times as long nobody looks again. */
const REST_FACTOR = 20;
/** Running and waiting requests are told so often. */
const LOAD_TICK_MS = 500;
/** Models whose queues are told of. */
const QUEUES_MAX = 200;
/** Shown as what happens now. */
const NOW_S = 10;
/** Requests that are told of in a second; what is more, nobody could read. */
const REQUESTS_MAX = 50;
/** Running requests that somebody is told of who comes anew. */
const RUNNING_MAX = 200;

/**
 * What happens, as events for all who look: requests as they begin and end; each second, while
 * somebody looks, what has changed of endpoints, models and pulls, and the metrics.
 */
export class LiveEvents {
  readonly hub: EventHub;
  /** The metrics of the last hour and day. */
  readonly recent = new RecentWindows();
  readonly #parts: LiveEventsParts;
  readonly #watch = new Watch();
  readonly #loadWatch = new LoadWatch();
  readonly #hosts = new HostViews();
  readonly #seconds = new MetricsWindow({ spanS: 1, spans: 60 });
  readonly #running = new Set<RequestRecord>();
  /** Those that were told of, so that their end is told as well. */
  readonly #told = new WeakSet<RequestRecord>();
  #toldInSecond = 0;
  #lastMetrics = "";
  #timer: Timer | undefined;
  #soon: Timer | undefined;
  /** Until then nobody looks again what has changed (`performance.now()`). */
  #restUntil = 0;
  #loadTimer: Timer | undefined;

  constructor(parts: LiveEventsParts) {
    this.#parts = parts;
    this.hub = new EventHub({
      version: VERSION,
      snapshot: (principal) => this.#snapshot(principal),
      onWatched: (isWatched) => (isWatched ? this.#begin() : this.#end()),
    });
  }

  /** A request has come whose model is known. */
  readonly began = (record: RequestRecord): void => {
    this.#running.add(record);
    if (!this.hub.isWatched || this.#toldInSecond >= REQUESTS_MAX) return;
    this.#toldInSecond += 1;
    this.#told.add(record);
    this.hub.publish({ type: "request_began", request: viewOf(record) }, ownerOf(record));
  };

  /** It has ended. */
  readonly ended = (record: RequestRecord, { usage }: TokenCount): void => {
    this.#running.delete(record);
    const { outcome, status, error, firstTokenMs, durationMs } = record;
    const isError = outcome !== "cancelled" && (error !== null || (status ?? 500) >= 400);
    const outputTokens = usage?.output ?? 0;
    const { hasGoneOn: isContinued } = record;
    const sample = { isError, isContinued, outputTokens, firstTokenMs, durationMs };
    const nowMs = Date.now();
    this.#seconds.count(sample, nowMs);
    this.recent.count(sample, nowMs);
    if (!this.#told.has(record)) return;
    const request = endedView(record, usage?.output ?? null);
    this.hub.publish({ type: "request_ended", request }, ownerOf(record));
  };

  /** A check of an endpoint is done: what it changed is told soon. */
  readonly checked = (): void => {
    if (!this.hub.isWatched || this.#soon !== undefined) return;
    const restMs = this.#restUntil - performance.now();
    this.#soon = setTimeout(() => this.#tellChanges(), Math.max(SOON_MS, restMs));
    this.#soon.unref();
  };

  close(): void {
    this.hub.close();
  }

  #begin(): void {
    this.#watch.begin(this.#moment());
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
    this.#loadWatch.reset();
    this.#loadTimer = setInterval(() => this.#tellLoad(), LOAD_TICK_MS);
    this.#loadTimer.unref();
  }

  #end(): void {
    clearInterval(this.#timer);
    clearInterval(this.#loadTimer);
    clearTimeout(this.#soon);
    this.#timer = undefined;
    this.#soon = undefined;
    this.#loadTimer = undefined;
  }

  #tick(): void {
    this.#toldInSecond = 0;
    if (performance.now() >= this.#restUntil) this.#tellChanges();
    const metrics = this.#metrics();
    const { at: _, ...numbers } = metrics;
    const text = JSON.stringify(numbers);
    if (text !== this.#lastMetrics) this.hub.publish({ type: "metrics", metrics });
    this.#lastMetrics = text;
  }

  #tellChanges(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const beganAt = performance.now();
    for (const event of this.#watch.changes(this.#moment())) this.hub.publish(event);
    const endedAt = performance.now();
    this.#restUntil = endedAt + REST_FACTOR * (endedAt - beganAt);
  }

  #tellLoad(): void {
    const event = this.#loadWatch.change(this.#parts.pool.endpoints, this.#queues());
    if (event !== undefined) this.hub.publish(event);
  }

  #queues(): Record<string, number> {
    return this.#parts.gate.scheduler.waitingByModel(QUEUES_MAX);
  }

  #metrics(): LiveMetrics {
    const active = this.#parts.pool.endpoints.reduce((sum, { load }) => sum + load.active, 0);
    return {
      ...this.#seconds.last(NOW_S, Date.now()),
      queue_waiting: this.#parts.gate.scheduler.waiting(),
      active_requests: active,
    };
  }

  #moment() {
    const { pool, registry, holdings } = this.#parts;
    const { endpoints } = pool;
    // Whether a model is ready hangs on the endpoints that serve it.
    const states = endpoints.map(({ id, health: { status } }) => `${id} ${status}`);
    return {
      endpoints: endpoints.map(endpointState),
      hosts: endpoints.map((endpoint) => this.#hosts.of(endpoint)),
      models: [registry.revision, ...pool.models, ...states].join("\n"),
      loaded: endpoints.map(({ id, warmth }) => `${id} ${warmth.fingerprint}`).join("\n"),
      pulls: holdings.pulls(),
    };
  }

  #snapshot(principal: Principal): LiveEvent[] {
    const visible = [...this.#running].filter((record) => maySee(principal, ownerOf(record)));
    const running = visible.slice(-RUNNING_MAX).map((record): LiveEvent => {
      this.#told.add(record);
      return { type: "request_began", request: viewOf(record) };
    });
    const pulls: LiveEvent = { type: "pulls", pulls: this.#parts.holdings.pulls() };
    const busy = this.#parts.pool.endpoints.filter(({ load }) => load.active > 0);
    const load: LiveEvent = { type: "load", changed: busy.map(loadView), queues: this.#queues() };
    return [{ type: "metrics", metrics: this.#metrics() }, pulls, load, ...running];
  }
}

function ownerOf({ request: { principal } }: RequestRecord): EventOwner {
  return { userId: principal.user?.id ?? null, keyId: principal.keyId ?? null };
}

function viewOf({ request, startedAt }: RequestRecord): LiveRequest {
  const { requestId, route, modelId, principal, streams } = request;
  return {
    ...{ request_id: requestId, request_type: route.name, model: modelId },
    ...{ api_key_name: principal.key?.name ?? null, user_name: principal.user?.name ?? null },
    ...{ streamed: streams, started_at: new Date(startedAt).toISOString() },
  };
}

function endedView(record: RequestRecord, outputTokens: number | null): EndedRequest {
  const { upstream, status, error, queueMs, firstTokenMs, durationMs } = record;
  return {
    ...viewOf(record),
    ...{ endpoint_id: upstream?.id ?? null, endpoint_name: upstream?.name ?? null },
    ...{ http_status: status, error, queue_ms: queueMs, first_token_ms: firstTokenMs },
    ...{ duration_ms: durationMs, output_tokens: outputTokens },
  };
}
