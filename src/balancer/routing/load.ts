import { MinuteHistory } from "./minutes.ts";

/** Slots of an endpoint that does not tell how many it has. */
export const SLOTS_DEFAULT = 8;

/** Points of metrics that are kept. */
const METRICS_MAX = 360;

/** Metrics older than this say nothing about now. */
const METRICS_AGE_MS_MAX = 120_000;

/** What an endpoint said about its own load. */
export interface Metrics {
  /** When it said so. */
  atMs: number;
  /** Requests that it works on, ours and those of others. */
  activeRequests: number;
  /** Its own average time per request. */
  averageMs?: number;
  cpuPercent?: number;
  memoryPercent?: number;
  gpuPercent?: number;
  gpuMemoryPercent?: number;
}

/** Tokens of requests, as the endpoint counted them. */
export interface Tokens {
  input: number;
  output: number;
}

/** How a request ended. */
export interface Finish {
  success: boolean;
  /** When it ended (Unix time). */
  nowMs: number;
  /** From the sending of the request to the end of the answer. */
  latencyMs: number;
  /** Counted on errors as well: they were computed. */
  tokens?: Tokens;
}

/**
 * What an endpoint does for us, and did. Which slots are free follows from our own requests only:
 * numbers that an endpoint reports are seconds old and would keep slots closed that nobody frees.
 */
export class Load {
  /** Requests that the endpoint can work on at the same time. */
  slots: number;
  /** It is starting or loading and takes no requests yet. */
  initializing = false;
  /** Of its models, as it says itself. */
  readyModels: { ready: number; total: number } | undefined;
  /** Our requests that it works on. */
  active = 0;
  /** Those of them that were sent to measure it. */
  exploring = 0;
  /** Number of the selection that chose it last; 0 for never. */
  lastTurn = 0;
  assigned = 0;
  successes = 0;
  errors = 0;
  latencyTotalMs = 0;
  inputTokens = 0;
  outputTokens = 0;
  readonly minutes = new MinuteHistory();
  readonly #metrics: Metrics[] = [];

  constructor(slots: number = SLOTS_DEFAULT) {
    this.slots = slots;
  }

  get totalTokens(): number {
    return this.inputTokens + this.outputTokens;
  }

  /** The last metrics, however old. */
  get lastMetrics(): Metrics | undefined {
    return this.#metrics.at(-1);
  }

  /** The last 360 metrics, oldest first. */
  get metricsHistory(): readonly Metrics[] {
    return this.#metrics;
  }

  /** Begins a request: it counts as active until its lease is finished. */
  begin(exploring = false): ActiveRequest {
    this.active += 1;
    this.assigned += 1;
    if (exploring) this.exploring += 1;
    return new ActiveRequest(this, exploring);
  }

  /** Takes note of what the endpoint says of itself. */
  record(metrics: Metrics): void {
    // 360 references move on each overflow, at most once per endpoint and health check.
    if (this.#metrics.length >= METRICS_MAX) this.#metrics.shift();
    this.#metrics.push(metrics);
  }

  /** The larger of our own count and the endpoint's, unless that is older than 120 s. */
  combinedActive(nowMs: number): number {
    const last = this.lastMetrics;
    if (last === undefined || nowMs - last.atMs > METRICS_AGE_MS_MAX) return this.active;
    return Math.max(last.activeRequests, this.active);
  }

  /** Average time per finished request; before the first the endpoint's own; else undefined. */
  get averageMs(): number | undefined {
    const finished = this.successes + this.errors;
    return finished > 0 ? this.latencyTotalMs / finished : this.lastMetrics?.averageMs;
  }
}

/** One request of an endpoint. Whatever happens, it is counted down exactly once. */
export class ActiveRequest {
  readonly #load: Load;
  #exploring: boolean;
  #open = true;

  constructor(load: Load, exploring: boolean) {
    this.#load = load;
    this.#exploring = exploring;
  }

  get open(): boolean {
    return this.#open;
  }

  /** The endpoint is measured by this request, or the attempt failed: others may explore again. */
  explored(): void {
    if (!this.#exploring) return;
    this.#exploring = false;
    this.#load.exploring -= 1;
  }

  /** Ends the request and counts it; false if it had ended before. */
  finish({ success, nowMs, latencyMs, tokens }: Finish): boolean {
    if (!this.#open) return false;
    this.#close();
    const load = this.#load;
    if (success) load.successes += 1;
    else load.errors += 1;
    load.latencyTotalMs += latencyMs;
    load.inputTokens += tokens?.input ?? 0;
    load.outputTokens += tokens?.output ?? 0;
    load.minutes.add(success, nowMs);
    return true;
  }

  /** Ends the request without counting success or error: it was never sent, or the client left. */
  cancel(): boolean {
    if (!this.#open) return false;
    this.#close();
    return true;
  }

  #close(): void {
    this.#open = false;
    this.#load.active -= 1;
    this.explored();
  }
}
