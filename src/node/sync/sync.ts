import { backoffMs } from "../../lib/backoff.ts";
import type { Logger } from "../../lib/log.ts";
import type { ModelRecord } from "../../storage/record.ts";
import type { Store } from "../../storage/store.ts";
import { ApiError } from "../../wire/error.ts";
import { templateMark, type WantedList, type WantedModel } from "../../wire/sync.ts";
import type { ModelScanner } from "../models/scanner.ts";
import type { BalancerClient } from "./balancerclient.ts";
import type { PullJob } from "./job.ts";
import { Notifier } from "./notify.ts";
import { type Attempt, type OnDisk, plan } from "./plan.ts";
import type { Pulls } from "./pulls.ts";
import { RegistrySource } from "./source.ts";

export interface SyncOptions {
  link: BalancerClient;
  shelf: ModelScanner;
  store: Store;
  pulls: Pulls;
  log: Logger;
  /** Called when a wanted model's state is another. */
  onChange(): void;
  /** Time between two comparisons that nobody asked for. Default: 60 s. */
  everyMs?: number;
}

/** Why a wanted model is not here. */
export interface Missing {
  failure: ApiError;
  failures: number;
  attempt: Attempt;
}

const EVERY_MS = 60_000;
const RETRY = { firstMs: 1000, maxMs: 60_000 };
/** What only a person can change is tried again all the same, since nobody tells that it did. */
const LASTING_MS = 600_000;
/** A balancer that is silent for so long does not keep requests waiting. */
const FIRST_MS_MAX = 5000;
const LASTING = new Set([
  ...["pull_unauthorized", "pull_not_found", "pull_origin_not_allowed", "pull_no_artifact"],
  ...["pull_conflict", "pull_mismatch", "invalid_model_id", "gated_model"],
]);

/**
 * Brings a node to what its balancer lists: at start, when it is told that something changed, and
 * every minute. What is missing is pulled, what sync placed and is listed no more is deleted.
 */
export class Sync {
  readonly #options: SyncOptions;
  readonly #source: RegistrySource;
  readonly #bell = new Notifier();
  readonly #closing = new AbortController();
  readonly #missing = new Map<string, Missing>();
  readonly #jobs = new Map<string, PullJob>();
  /** Folders of which nothing more could be removed. */
  readonly #kept = new Set<string>();
  #wanted: WantedList | undefined;
  #etag: string | undefined;
  #compared = false;
  #failures = 0;
  #loop: Promise<void> | undefined;
  #lastAt: number | null = null;
  #error: string | null = null;

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#source = new RegistrySource(options.link);
  }

  /** Begins; a first comparison follows at once if the node is enrolled. */
  start(): void {
    this.#loop = this.#run();
    const timer = setTimeout(() => this.#open(), FIRST_MS_MAX);
    timer.unref();
  }

  async close(): Promise<void> {
    this.#closing.abort(new ApiError("draining", "The node stops."));
    await this.#loop;
  }

  /** Whether the first comparison is done, or was not to be had in time. */
  get compared(): boolean {
    return this.#compared;
  }

  /** When the last comparison was, and why a later one failed. */
  get state(): { lastAt: number | null; error: string | null } {
    return { lastAt: this.#lastAt, error: this.#error };
  }

  get source(): RegistrySource {
    return this.#source;
  }

  /** Something changed: compares at once. `afresh`: what failed is tried again, too. */
  ring({ afresh = false } = {}): void {
    if (afresh) {
      this.#etag = undefined;
      for (const one of this.#missing.values()) one.attempt.nextMs = 0;
    }
    this.#bell.ring();
  }

  /** The model that the balancer lists by a name. */
  wanted(name: string): WantedModel | undefined {
    const key = name.toLowerCase();
    const isNamed = (one: string) => one.toLowerCase() === key;
    return this.#wanted?.models.find(({ id, names, quantizations }) => {
      if (isNamed(id) || names.some(isNamed)) return true;
      return quantizations.some((one) => isNamed(`${id}:${one}`));
    });
  }

  /** Why wanted models are not here, by id. */
  get missing(): ReadonlyMap<string, Missing> {
    return this.#missing;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const waitMs = await this.#round();
      await this.#bell.wait(waitMs, signal);
    }
  }

  /** One comparison. Returns after how many milliseconds the next is due. Never rejects. */
  async #round(): Promise<number> {
    const { link, everyMs = EVERY_MS } = { ...this.#options };
    if (!link.isOpen) return everyMs;
    try {
      await this.#hear();
      await this.#compare();
      this.#failures = 0;
      this.#error = null;
      this.#lastAt = Date.now();
      this.#open();
      const due = [...this.#missing.values()].map(
        ({ attempt }) => attempt.nextMs - performance.now(),
      );
      return Math.max(100, Math.min(everyMs, ...due));
    } catch (err) {
      if (this.#closing.signal.aborted) return 0;
      this.#failed(err);
      return backoffMs(this.#failures - 1, RETRY);
    }
  }

  #failed(err: unknown): void {
    const reason = err instanceof Error ? err.message : String(err);
    this.#failures += 1;
    this.#open();
    // Told once: a balancer that is down for a night is one line.
    if (reason !== this.#error) this.#options.log.warn({ reason, err }, "sync.failed");
    this.#error = reason;
  }

  #open(): void {
    if (this.#compared) return;
    this.#compared = true;
    this.#options.onChange();
  }

  /** Asks what this node shall have. */
  async #hear(): Promise<void> {
    const { link, shelf, log } = this.#options;
    const { list, etag } = await link.wanted(this.#etag, this.#closing.signal);
    this.#etag = etag;
    if (list === undefined) return;
    this.#wanted = list;
    log.info({ models: list.models.map(({ id }) => id) }, "sync.list");
    await shelf.call(list.models);
  }

  async #compare(): Promise<void> {
    const { pulls, log } = this.#options;
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    const attempts = new Map([...this.#missing].map(([id, { attempt }]) => [id, attempt]));
    const running = [...this.#jobs].filter(([, job]) => job.isRunning).map(([id]) => id);
    const disk = await this.#onDisk();
    const next = plan({ wanted, disk, running, attempts, nowMs: performance.now() });
    const ids = new Set(wanted.models.map(({ id }) => id));
    for (const id of this.#missing.keys()) if (!ids.has(id)) this.#missing.delete(id);
    for (const id of ids) this.#kept.delete(id);
    for (const id of next.cancel) await this.#cancel(id);
    for (const id of next.remove) if (!this.#kept.has(id)) await this.#remove(id);
    for (const model of next.retell) await this.#retell(model);
    for (const model of next.pull) {
      log.info({ model: model.id, revision: model.revision }, "sync.pull");
      const job = pulls.start(model.id, "sync", this.#source);
      this.#jobs.set(model.id, job);
      void job.ended.then(() => this.#ended(model, job));
    }
  }

  /** Takes the chat template that an operator gave, or gave up. */
  async #retell({ id }: WantedModel): Promise<void> {
    const { link, shelf, store, log } = this.#options;
    const { signal } = this.#closing;
    try {
      const { chat_template: template } = await link.manifest(id, signal);
      await store.setTemplate(id, template, signal);
      log.info({ model: id }, "sync.template");
      await shelf.scan();
    } catch (err) {
      signal.throwIfAborted();
      log.warn({ model: id, err }, "sync.template_failed"); // The next round tries again.
    }
  }

  async #onDisk(): Promise<OnDisk[]> {
    const { shelf, store } = this.#options;
    const whole = shelf.models.map(({ model: { id }, record }) => lying(id, true, record));
    const parts = shelf.unusable.map(({ id, record }) => lying(id, false, record));
    const known = new Set([...whole, ...parts].map(({ id }) => id));
    const begun = (await store.begun()).filter(({ id }) => !known.has(id));
    return [
      ...whole,
      ...parts,
      ...begun.map(({ id, synced }) => ({
        id,
        whole: false,
        revision: undefined,
        template: null,
        synced,
      })),
    ];
  }

  #ended({ id, revision }: WantedModel, job: PullJob): void {
    if (this.#jobs.get(id) === job) this.#jobs.delete(id);
    const failure = job.failure ?? this.#unusable(id);
    if (failure === undefined) this.#missing.delete(id);
    else if (failure.code !== "pull_cancelled") {
      const failures = (this.#missing.get(id)?.failures ?? 0) + 1;
      const waitMs = LASTING.has(failure.code) ? LASTING_MS : backoffMs(failures - 1, RETRY);
      const attempt = { revision, nextMs: performance.now() + waitMs };
      this.#missing.set(id, { failure, failures, attempt });
    }
    this.#options.onChange();
    this.#bell.ring();
  }

  /** Why files that came make no model, e.g. because of others that lie beside them. */
  #unusable(id: string): ApiError | undefined {
    const { shelf } = this.#options;
    const isIt = (one: string) => one.toLowerCase() === id.toLowerCase();
    if (shelf.models.some(({ model }) => isIt(model.id))) return undefined;
    const found = shelf.unusable.find((one) => isIt(one.id));
    const reason = found === undefined ? "its files are gone" : found.reason;
    const message = `The model ${id} was pulled but cannot be used: ${reason}.`;
    return new ApiError("model_load_failed", message, { code: "model_unusable", param: "model" });
  }

  async #cancel(id: string): Promise<void> {
    const job = this.#jobs.get(id);
    // What a person asked for goes on.
    if (job?.placedBy !== "sync") return;
    const message = `The pull of ${id} was ended: the model is no longer registered.`;
    job.stop.abort(new ApiError("unavailable", message, { code: "pull_cancelled" }));
    await job.ended;
    await this.#remove(id);
  }

  /** What sync placed of a model goes; what a person placed stays, and so does what was changed. */
  async #remove(id: string): Promise<void> {
    const { shelf, store, log } = this.#options;
    try {
      const files = await shelf.without(id, () => store.removeSynced(id));
      log.info({ model: id, files }, "sync.removed");
      if (files.length === 0) this.#kept.add(id);
    } catch (err) {
      this.#kept.add(id);
      log.warn({ model: id, err }, "sync.remove_failed");
    }
    this.#options.onChange();
  }
}

function lying(id: string, whole: boolean, record: ModelRecord | undefined): OnDisk {
  const synced = record?.files.some(({ placed_by: by }) => by === "sync") ?? false;
  const template = templateMark(record?.chat_template);
  return { id, whole, revision: record?.revision, template, synced };
}
