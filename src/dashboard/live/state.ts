import type { LiveEvent, LiveMetrics, LiveRequest, PullStep } from "../../wire/event.ts";

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
  readonly #listeners = new Set<() => void>();
  #endedCount = 0;

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
        if (!event.resumed) this.running = [];
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
    for (const listener of this.#listeners) listener();
  }
}
