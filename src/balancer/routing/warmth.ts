import type { HostMemoryView } from "../../wire/host.ts";
import {
  applyState,
  change,
  type Mean,
  ModelUse,
  type ModelWarmth,
  type ModelWarmthReport,
  type WarmthState,
} from "./modelwarmth.ts";

/** What an endpoint tells of its memory: models that are not in it are cold. */
export interface WarmthReport {
  /** By the endpoint's own names. */
  models: ReadonlyMap<string, ModelWarmthReport>;
  /** Memory for further models; undefined: it does not tell. */
  freeBytes?: number | undefined;
  /** Memory for all models together; undefined: it does not tell. */
  budgetBytes?: number | undefined;
  /** Each of its memories; undefined: it does not tell. */
  memories?: readonly HostMemoryView[] | undefined;
}

/** How soon an endpoint would begin a request for a model. */
export interface Start {
  state: WarmthState;
  /** What is left of a load before it; of a cold one, all of it. */
  loadMs: number;
  /** What is ahead of it there. */
  queueMs: number;
}

export interface StartContext {
  nowMs: number;
  /** Of the endpoint, for all models, and its requests. */
  slots: number;
  active: number;
  /** Requests that wait elsewhere for a slot of it. */
  waiting: number;
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
  /** Its memories, as it told last; of one that is gone, as they were. */
  memories: readonly HostMemoryView[] = [];
  /** Another number when something else may be in its memory. */
  revision = 0;
  readonly #nameOf: (model: string) => string;
  readonly #models = new Map<string, ModelWarmth>();
  #tells = false;
  #freeBytes: number | undefined;
  #budgetBytes: number | undefined;
  /** Of requests for any model. */
  readonly #usual: Mean = { ms: undefined };

  /** `nameOf` is the endpoint's own name of a model. */
  constructor(nameOf: (model: string) => string = (model) => model) {
    this.#nameOf = nameOf;
  }

  /** Memory for models in bytes, as far as the endpoint tells it. */
  get memory(): Pick<WarmthReport, "freeBytes" | "budgetBytes"> {
    return { freeBytes: this.#freeBytes, budgetBytes: this.#budgetBytes };
  }

  /** A text that is another one when other models are loaded. */
  get fingerprint(): string {
    if (!this.#tells) return "";
    const warm = [...this.#models].filter(([, { state }]) => state !== "cold");
    return warm.map(([name, { state, isPinned }]) => `${name} ${state} ${isPinned}`).join("\n");
  }

  /** The state of a model. */
  stateOf(model: string): WarmthState {
    return this.#stateOf(this.#find(model));
  }

  /** Whether a request for a model needs no load, as far as is known. */
  isWarm(model: string): boolean {
    return !this.#tells || this.#find(model)?.state === "loaded";
  }

  /** What else is known of a model; `active` are our requests for it. */
  detailOf(model: string): Omit<ModelWarmthReport, "state"> & { active: number } {
    const { active = 0, bytes, expiresAt, isPinned } = this.#find(model) ?? {};
    return { active, bytes, expiresAt, isPinned };
  }

  /** Whether the endpoint tells what it has loaded. */
  get tells(): boolean {
    return this.#tells;
  }

  /** The models of which something is known, by the endpoint's own names. */
  known(): IterableIterator<[name: string, model: Readonly<ModelWarmth>]> {
    return this.#models.entries();
  }

  /** How soon the endpoint would begin one more request. */
  startOf(model: string, at: StartContext): Start {
    const entry = this.#find(model);
    const usualMs = this.#usual.ms ?? SERVICE_MS_DEFAULT;
    const { active = 0, serviceMs = usualMs } = entry ?? {};
    const slots = Math.min(entry?.slots ?? at.slots, at.slots);
    const queueMs = Math.max(
      queueFor({ slots, active: active + at.waiting, eachMs: serviceMs }),
      queueFor({ slots: at.slots, active: at.active + at.waiting, eachMs: usualMs }),
    );
    return { state: this.#stateOf(entry), loadMs: this.#loadMs(entry, at.nowMs), queueMs };
  }

  /** What is left of a load before a request for a model begins; 0 if it needs none. */
  loadLeftMs(model: string, nowMs: number): number {
    return this.#loadMs(this.#find(model), nowMs);
  }

  /**
   * Takes what the endpoint told, which it was asked for at `askedAtMs`. What our own requests have
   * changed since then stays.
   */
  apply(report: WarmthReport, { askedAtMs, nowMs }: { askedAtMs: number; nowMs: number }): void {
    this.#tells = true;
    this.revision += 1;
    this.#freeBytes = report.freeBytes;
    this.#budgetBytes = report.budgetBytes;
    this.memories = report.memories ?? [];
    for (const [name, told] of report.models) {
      const entry = this.#entry(name);
      const { loadMs = entry.loadMs, bytes = entry.bytes, slots = entry.slots } = told;
      const { expiresAt, isPinned, memoryBytes, aliasOf } = told;
      Object.assign(entry, { loadMs, bytes, slots, expiresAt, isPinned, memoryBytes, aliasOf });
      applyState(entry, told.state, { askedAtMs, nowMs });
    }
    for (const [name, entry] of this.#models) {
      if (!report.models.has(name)) applyState(entry, "cold", { askedAtMs, nowMs });
    }
  }

  /** The endpoint is gone: it may come back with other models loaded, or none. */
  reset(): void {
    this.#tells = false;
    this.revision += 1;
    this.#freeBytes = undefined;
    this.#budgetBytes = undefined;
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
    const onChange = () => {
      this.revision += 1;
    };
    if (isCold) onChange();
    return new ModelUse(entry, { isCold, nowMs, usual: this.#usual, onChange });
  }

  #find(model: string): ModelWarmth | undefined {
    return this.#models.get(this.#nameOf(model));
  }

  #stateOf(entry: ModelWarmth | undefined): WarmthState {
    return this.#tells ? (entry?.state ?? "cold") : "unknown";
  }

  #loadMs(entry: ModelWarmth | undefined, nowMs: number): number {
    const state = this.#stateOf(entry);
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

/** How long one more request waits while others are worked on, `slots` at a time. */
function queueFor({ slots, active, eachMs }: { slots: number; active: number; eachMs: number }) {
  return (Math.max(0, active + 1 - slots) / Math.max(1, slots)) * eachMs;
}

function expectedLoadMs(entry: ModelWarmth | undefined): number {
  const { loadMs, learntLoadMs, bytes } = entry ?? {};
  if (loadMs !== undefined) return loadMs;
  if (learntLoadMs !== undefined) return learntLoadMs;
  return bytes === undefined ? LOAD_MS_DEFAULT : LOAD_MS_MIN + bytes / LOAD_BYTES_PER_MS;
}
