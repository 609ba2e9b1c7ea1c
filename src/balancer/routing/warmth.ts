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
  /** Requests for it that are worked on at the same time. */
  slots?: number | undefined;
}

/** What an endpoint tells of its memory: models that are not in it are cold. */
export interface WarmthReport {
  /** By the endpoint's own names. */
  models: ReadonlyMap<string, ModelWarmthReport>;
  /** Memory for further models; undefined: it does not tell. */
  freeBytes?: number | undefined;
}

/** How soon an endpoint would begin a request for a model. */
export interface Start {
  state: WarmthState;
  /** What is left of a load before it; of a cold one, all of it. */
  loadMs: number;
  /** What is ahead of it there. */
  queueMs: number;
}

/** One model at one endpoint. */
interface ModelWarmth extends Omit<ModelWarmthReport, "state"> {
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

/** Of a model of which nothing is known. */
const LOAD_MS_DEFAULT = 10_000;
/** Of a model whose size is known: to start a process, and to read from a disk. */
const LOAD_MS_MIN = 500;
const LOAD_BYTES_PER_MS = 1e6;
/** A model that could not be loaded is asked for where nobody else has it. */
const FAILED_MS = 600_000;
/** A load that takes longer than it should is still not done. */
const OVERDUE_SHARE = 0.1;
/** Of a request at an endpoint, before one was measured. */
const SERVICE_MS_DEFAULT = 2000;
/** More models than an endpoint lists: those that nobody uses are forgotten. */
const MODELS_MAX = 10_000;

/**
 * Which models an endpoint has in its memory: as it told last, and as our own requests have changed
 * it since. A request for a cold model makes it `loading` for all that come after it.
 */
export class Warmth {
  readonly #nameOf: (model: string) => string;
  readonly #models = new Map<string, ModelWarmth>();
  #tells = false;
  #freeBytes: number | undefined;
  /** Of requests for any model. */
  readonly #usual: Mean = { ms: undefined };

  /** `nameOf` is the endpoint's own name of a model. */
  constructor(nameOf: (model: string) => string = (model) => model) {
    this.#nameOf = nameOf;
  }

  /** The state of a model. */
  stateOf(model: string): WarmthState {
    if (!this.#tells) return "unknown";
    return this.#models.get(this.#nameOf(model))?.state ?? "cold";
  }

  /** Whether a request for a model needs no load, as far as is known. */
  isWarm(model: string): boolean {
    if (!this.#tells) return true;
    return this.#models.get(this.#nameOf(model))?.state === "loaded";
  }

  /** How soon the endpoint would begin one more request, of those `waiting` elsewhere for it. */
  startOf(model: string, at: { nowMs: number; slots: number; waiting: number }): Start {
    const entry = this.#models.get(this.#nameOf(model));
    const state = this.stateOf(model);
    const { active = 0, serviceMs = this.#usual.ms ?? SERVICE_MS_DEFAULT } = entry ?? {};
    const slots = Math.max(1, Math.min(entry?.slots ?? at.slots, at.slots));
    const ahead = Math.max(0, active + at.waiting + 1 - slots);
    return {
      state,
      loadMs: this.#loadMs(entry, state, at.nowMs),
      queueMs: (ahead / slots) * serviceMs,
    };
  }

  /** What is left of a load before a request for a model begins; 0 if it needs none. */
  loadLeftMs(model: string, nowMs: number): number {
    const entry = this.#models.get(this.#nameOf(model));
    return this.#loadMs(entry, this.stateOf(model), nowMs);
  }

  /**
   * Takes what the endpoint told, which it was asked for at `askedAtMs`. What our own requests have
   * changed since then stays.
   */
  apply(report: WarmthReport, { askedAtMs, nowMs }: { askedAtMs: number; nowMs: number }): void {
    this.#tells = true;
    this.#freeBytes = report.freeBytes;
    for (const [name, told] of report.models) {
      const entry = this.#entry(name);
      const { loadMs = entry.loadMs, bytes = entry.bytes, slots = entry.slots } = told;
      Object.assign(entry, { loadMs, bytes, slots });
      applyState(entry, told.state, { askedAtMs, nowMs });
    }
    for (const [name, entry] of this.#models) {
      if (!report.models.has(name)) applyState(entry, "cold", { askedAtMs, nowMs });
    }
  }

  /** The endpoint is gone: it may come back with other models loaded, or none. */
  reset(): void {
    this.#tells = false;
    this.#freeBytes = undefined;
    for (const entry of this.#models.values()) {
      Object.assign(entry, { state: "cold", knownAtMs: Number.NEGATIVE_INFINITY });
    }
  }

  /** A request for a model is sent: it loads the model if need be. */
  begin(model: string, nowMs: number): ModelUse {
    const entry = this.#entry(this.#nameOf(model));
    const isCold = this.#tells && entry.state !== "loaded";
    if (isCold && entry.state !== "loading") {
      if (this.#freeBytes !== undefined) this.#freeBytes -= entry.bytes ?? 0;
      change(entry, "loading", nowMs);
    }
    return new ModelUse(entry, { isCold, nowMs, usual: this.#usual });
  }

  #loadMs(entry: ModelWarmth | undefined, state: WarmthState, nowMs: number): number {
    if (state === "loaded" || state === "unknown") return 0;
    if (state === "failed") return FAILED_MS;
    const loadMs = expectedLoadMs(entry);
    if (state === "cold" || entry === undefined) return loadMs * (this.#hasRoomFor(entry) ? 1 : 2);
    return Math.max(loadMs * OVERDUE_SHARE, entry.loadingSinceMs + loadMs - nowMs);
  }

  /** Where there is none, another model is unloaded, which somebody will want back. */
  #hasRoomFor(entry: ModelWarmth | undefined): boolean {
    return this.#freeBytes === undefined || (entry?.bytes ?? 0) <= this.#freeBytes;
  }

  #entry(name: string): ModelWarmth {
    const known = this.#models.get(name);
    if (known !== undefined) return known;
    if (this.#models.size >= MODELS_MAX) {
      for (const [other, { active }] of this.#models) if (active === 0) this.#models.delete(other);
    }
    const entry: ModelWarmth = {
      ...{ state: "cold", knownAtMs: Number.NEGATIVE_INFINITY },
      ...{ loadingSinceMs: 0, loadedAtMs: Number.NEGATIVE_INFINITY },
      ...{ learntLoadMs: undefined, serviceMs: undefined, active: 0, starting: 0 },
    };
    this.#models.set(name, entry);
    return entry;
  }
}

/** A moving average; undefined: nothing was measured. */
interface Mean {
  ms: number | undefined;
}

interface ModelUseOptions {
  /** The model has to be loaded for it. */
  isCold: boolean;
  nowMs: number;
  /** The endpoint's mean time of requests. */
  usual: Mean;
}

/** One request for a model at an endpoint. */
export class ModelUse {
  readonly #entry: ModelWarmth;
  readonly #usual: Mean;
  readonly #beganAtMs: number;
  /** It was sent while the model was not loaded, and is not answered. */
  #isStarting: boolean;
  #hadLoad: boolean;
  #isOpen = true;

  constructor(entry: ModelWarmth, { isCold, nowMs, usual }: ModelUseOptions) {
    this.#entry = entry;
    this.#usual = usual;
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
    if (this.#isStarting && entry.state === "loading" && entry.starting > 0) {
      const loadMs = latencyMs - (Number.isFinite(usualMs) ? usualMs : 0);
      if (loadMs > 0) entry.learntLoadMs = nextEma(entry.learntLoadMs, loadMs);
    }
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
    if (wasStarting && entry.starting === 0 && entry.state === "loading") entry.state = "cold";
  }

  #started(): void {
    if (this.#isStarting) this.#entry.starting -= 1;
    this.#isStarting = false;
  }
}

function expectedLoadMs(entry: ModelWarmth | undefined): number {
  const { loadMs, learntLoadMs, bytes } = entry ?? {};
  if (loadMs !== undefined) return loadMs;
  if (learntLoadMs !== undefined) return learntLoadMs;
  return bytes === undefined ? LOAD_MS_DEFAULT : LOAD_MS_MIN + bytes / LOAD_BYTES_PER_MS;
}

/**
 * | news                                                          | what becomes of it |
 * |---------------------------------------------------------------|--------------------|
 * | older than what is known                                      | nothing            |
 * | `cold`, while our requests for it are not answered            | nothing            |
 * | otherwise                                                     | that is its state  |
 */
function applyState(
  entry: ModelWarmth,
  state: WarmthState,
  { askedAtMs, nowMs }: { askedAtMs: number; nowMs: number },
): void {
  if (entry.knownAtMs > askedAtMs) return;
  if (state === "cold" && entry.starting > 0) return;
  change(entry, state, nowMs);
  entry.knownAtMs = askedAtMs;
}

function change(entry: ModelWarmth, state: WarmthState, nowMs: number): void {
  entry.knownAtMs = nowMs;
  if (entry.state === state) return;
  if (state === "loading") entry.loadingSinceMs = nowMs;
  if (state === "loaded") entry.loadedAtMs = nowMs;
  entry.state = state;
}
