import type { LiveEvent, LiveMetrics, LiveRequest, PullStep } from "../../wire/event.ts";
import type { EndpointLoad } from "../../wire/host.ts";

const SERIES_MAX = 120;
const REQUESTS_MAX = 500;

/** What the event stream has told, as far as no list has it. */
export class LiveState {
  isConnected = false;
  /** The last minutes, oldest first. */
  series: readonly LiveMetrics[] = [];
  /** Requests that run, oldest first. */
  running: readonly LiveRequest[] = [];
  /** Pulls that are under way or failed, by model and node. */
  pulls: readonly PullStep[] = [];
  /** Running requests of endpoints that have any, by the endpoints' ids. */
  loads: ReadonlyMap<string, EndpointLoad> = new Map();
  /** Requests that wait for a slot, by model. */
  queues: Readonly<Record<string, number>> = {};
  readonly #listeners = new Set<() => void>();
  readonly #later: (tell: () => void) => void;
  #isTelling = false;
  #endedCount = 0;

  /** `later` puts off telling, so that many events are told as one. Default: each at once. */
  constructor(later: (tell: () => void) => void = (tell) => tell()) {
    this.#later = later;
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  setConnected(isConnected: boolean): void {
    if (this.isConnected === isConnected) return;
    this.isConnected = isConnected;
    this.#tell();
  }

  apply(event: LiveEvent): void {
    switch (event.type) {
      case "hello":
        // Which of them still run nobody has told.
        if (event.resumed) break;
        this.running = [];
        this.loads = new Map();
        this.queues = {};
        break;
      case "metrics":
        this.series = [...this.series, event.metrics].slice(-SERIES_MAX);
        break;
      case "request_began":
        this.running = [...this.running, event.request].slice(-REQUESTS_MAX);
        break;
      case "request_ended": {
        const { request } = event;
        this.running = this.running.filter((one) => one.request_id !== request.request_id);
        this.#endedCount += 1;
        break;
      }
      case "pulls":
        this.pulls = event.pulls;
        break;
      case "load":
        this.loads = withLoads(this.loads, event.changed);
        this.queues = event.queues ?? this.queues;
        break;
      default:
        return;
    }
    this.#tell();
  }

  /** Calls `run` once in `everyMs` at most while requests end. The result stops that. */
  whileRequestsEnd(run: () => void, everyMs: number): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let known = this.#endedCount;
    const unsubscribe = this.subscribe(() => {
      if (timer !== undefined || this.#endedCount === known) return;
      timer = setTimeout(() => {
        timer = undefined;
        known = this.#endedCount;
        run();
      }, everyMs);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }

  #tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#later(() => {
      this.#isTelling = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

function withLoads(
  loads: ReadonlyMap<string, EndpointLoad>,
  changed: readonly EndpointLoad[],
): ReadonlyMap<string, EndpointLoad> {
  if (changed.length === 0) return loads;
  const next = new Map(loads);
  for (const load of changed) {
    if (load.active === 0) next.delete(load.id);
    else next.set(load.id, load);
  }
  return next;
}
