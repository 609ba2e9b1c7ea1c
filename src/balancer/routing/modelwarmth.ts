import { nextEma } from "./latency.ts";

/** Whether a model is in an endpoint's memory; `unknown`: the endpoint does not tell. */
export type WarmthState = "loaded" | "loading" | "cold" | "failed" | "unknown";

/** What an endpoint tells of one of its models. */
export interface ModelWarmthReport {
  state: Exclude<WarmthState, "unknown">;
  /** How long its load took, or is thought to take. */
  loadMs?: number | undefined;
  /** Memory that it takes, at least the size of its files. */
  bytes?: number | undefined;
  /** The same by where it is: `host`, or the name of a device. */
  memoryBytes?: Readonly<Record<string, number>> | undefined;
  /** It is another name of this model. */
  aliasOf?: string | undefined;
  /** Requests for it that are worked on at the same time. */
  slots?: number | undefined;
  /** When it is unloaded if nobody asks; RFC 3339. */
  expiresAt?: string | undefined;
  /** It stays loaded, whoever else needs its memory. */
  isPinned?: boolean | undefined;
}

/** One model at one endpoint. */
export interface ModelWarmth extends Omit<ModelWarmthReport, "state"> {
  state: WarmthState;
  /** As of when the state is known; older news change nothing. */
  knownAtMs: number;
  /** When its last load began and ended. */
  loadingSinceMs: number;
  loadedAtMs: number;
  /** Loads as requests saw them; undefined: none. */
  learntLoadMs: number | undefined;
  /** Mean time of a request; undefined: none has ended. */
  serviceMs: number | undefined;
  /** Our requests for it. */
  active: number;
  /** Those of them for which it has to be loaded. */
  starting: number;
}

/** A moving average; undefined: nothing was measured. */
export interface Mean {
  ms: number | undefined;
}

interface ModelUseOptions {
  /** The model has to be loaded for it. */
  isCold: boolean;
  nowMs: number;
  /** The endpoint's mean time of requests. */
  usual: Mean;
  /** Called when the state of the model has changed. */
  onChange(): void;
}

/** One request for a model at an endpoint. */
export class ModelUse {
  readonly #entry: ModelWarmth;
  readonly #usual: Mean;
  readonly #onChange: () => void;
  readonly #beganAtMs: number;
  /** It was sent while the model was not loaded, and is not answered. */
  #isStarting: boolean;
  #hadLoad: boolean;
  #isOpen = true;

  constructor(entry: ModelWarmth, { isCold, nowMs, usual, onChange }: ModelUseOptions) {
    this.#entry = entry;
    this.#usual = usual;
    this.#onChange = onChange;
    this.#beganAtMs = nowMs;
    this.#isStarting = isCold;
    this.#hadLoad = isCold;
    entry.active += 1;
    if (isCold) entry.starting += 1;
  }

  /**
   * The endpoint answered well after `latencyMs`: the model is loaded. Returns whether that time is
   * one without a load, of which `usualMs` is the mean (`Infinity`: unknown).
   */
  answered(latencyMs: number, { nowMs, usualMs }: { nowMs: number; usualMs: number }): boolean {
    const entry = this.#entry;
    // It may have been unloaded without our knowing.
    this.#hadLoad ||= entry.state === "loading" || entry.loadedAtMs > this.#beganAtMs;
    if (this.#isStarting && entry.state === "loading") {
      const loadMs = latencyMs - (Number.isFinite(usualMs) ? usualMs : 0);
      if (loadMs > 0) entry.learntLoadMs = nextEma(entry.learntLoadMs, loadMs);
    }
    if (entry.state !== "loaded") this.#onChange();
    change(entry, "loaded", nowMs);
    this.#started();
    return !this.#hadLoad;
  }

  /** The request has ended; `ms` is what it took if it succeeded. */
  end(ms?: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const entry = this.#entry;
    entry.active -= 1;
    if (ms !== undefined && !this.#hadLoad) {
      entry.serviceMs = nextEma(entry.serviceMs, ms);
      this.#usual.ms = nextEma(this.#usual.ms, ms);
    }
    const wasStarting = this.#isStarting;
    this.#started();
    // Nobody waits for the load any more; if it goes on, the endpoint tells.
    if (wasStarting && entry.starting === 0 && entry.state === "loading") {
      entry.state = "cold";
      this.#onChange();
    }
  }

  #started(): void {
    if (this.#isStarting) this.#entry.starting -= 1;
    this.#isStarting = false;
  }
}

/**
 * | news                                                          | what becomes of it |
 * |---------------------------------------------------------------|--------------------|
 * | older than what is known                                      | nothing            |
 * | `cold`, while our requests for it are not answered            | nothing            |
 * | otherwise                                                     | that is its state  |
 */
export function applyState(
  entry: ModelWarmth,
  state: WarmthState,
  { askedAtMs, nowMs }: { askedAtMs: number; nowMs: number },
): void {
  if (entry.knownAtMs > askedAtMs) return;
  if (state === "cold" && entry.starting > 0) return;
  change(entry, state, nowMs);
  entry.knownAtMs = askedAtMs;
}

export function change(entry: ModelWarmth, state: WarmthState, nowMs: number): void {
  entry.knownAtMs = nowMs;
  if (entry.state === state) return;
  if (state === "loading") entry.loadingSinceMs = nowMs;
  if (state === "loaded") entry.loadedAtMs = nowMs;
  entry.state = state;
}
