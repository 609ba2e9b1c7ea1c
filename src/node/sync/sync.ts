import { backoffMs } from "../../lib/backoff.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import type { Logger } from "../../lib/log.ts";
import { Notify } from "../../lib/notify.ts";
import type { ModelStore } from "../../storage/modelstore.ts";
import { ApiError } from "../../wire/error.ts";
import type { AssignedModel, AssignedModelList } from "../../wire/sync.ts";
import type { ModelScanner } from "../models/scanner.ts";
import type { BalancerClient } from "./balancerclient.ts";
import { PullFailures } from "./failures.ts";
import { localModels } from "./localmodels.ts";
import { planSync } from "./plan.ts";
import type { PullJob } from "./pulljob.ts";
import type { Pulls } from "./pulls.ts";
import { RegistrySource } from "./registrysource.ts";

export interface SyncOptions {
  client: BalancerClient;
  scanner: ModelScanner;
  store: ModelStore;
  pulls: Pulls;
  log: Logger;
  /** Called when an assigned model changes its state. */
  onChange(): void;
}

const INTERVAL_MS = 60_000;
const INTERVAL_MS_MIN = 100;
/** Back-off while the balancer does not answer. */
const RETRY = { firstMs: 1000, maxMs: 60_000 };
/** Requests for unknown models wait no longer than this for the first list. */
const FIRST_LIST_MS_MAX = 5000;

/**
 * Makes a node hold the models that its balancer lists: at start, when the balancer says that the
 * list has changed, and every minute. Pulls what is missing; removes what sync placed and the list
 * does not have any more.
 */
export class Sync {
  /** Where the pulls of assigned models get their manifests and download leases. */
  readonly source: RegistrySource;
  readonly #options: SyncOptions;
  readonly #notify = new Notify();
  readonly #closing = new AbortController();
  readonly #failures = new PullFailures();
  /** The running pulls of assigned models, by id. */
  readonly #jobs = new Map<string, PullJob>();
  /** Ids of unlisted models of which sync can remove no more files. */
  readonly #unremovable = new Set<string>();
  #assigned: AssignedModelList | undefined;
  #etag: string | undefined;
  #isReady = false;
  /** Rounds that failed in a row. */
  #failedRounds = 0;
  #loop: Promise<void> | undefined;
  #lastAt: number | null = null;
  #error: string | null = null;

  constructor(options: SyncOptions) {
    this.#options = options;
    this.source = new RegistrySource(options.client);
  }

  /** Starts the first round, and all that follow. */
  start(): void {
    this.#loop = this.#run();
    const timer = setTimeout(() => this.#becomeReady(), FIRST_LIST_MS_MAX);
    timer.unref();
  }

  async close(): Promise<void> {
    this.#closing.abort(new ApiError("draining", "The node stops."));
    await this.#loop;
  }

  /** Whether the first round has ended, or took longer than 5 s. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** When the last round succeeded, Unix ms, and why later ones failed. */
  get state(): { lastAt: number | null; error: string | null } {
    return { lastAt: this.#lastAt, error: this.#error };
  }

  /** Starts a round at once. `retry`: also asks for the whole list and retries failed pulls. */
  wake({ retry = false } = {}): void {
    if (retry) {
      this.#etag = undefined;
      this.#failures.retryNow();
    }
    this.#notify.notify();
  }

  /** The model that the balancer lists by a name. */
  assigned(name: string): AssignedModel | undefined {
    const key = name.toLowerCase();
    const isNamed = (one: string) => one.toLowerCase() === key;
    return this.#assigned?.models.find(({ id, names, quantizations }) => {
      if (isNamed(id) || names.some(isNamed)) return true;
      return quantizations.some((one) => isNamed(`${id}:${one}`));
    });
  }

  /** Why the last pulls of assigned models failed, by id. */
  get failures(): Pick<PullFailures, "errors" | "errorOf"> {
    return this.#failures;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) await this.#notify.wait(await this.#round(), signal);
  }

  /** One round. Returns after how many milliseconds the next one is due. Never rejects. */
  async #round(): Promise<number> {
    if (!this.#options.client.isOpen) {
      // The node before has done all rounds: what is there can be served.
      this.#becomeReady();
      return INTERVAL_MS;
    }
    if (!this.#options.client.isEnrolled) return INTERVAL_MS;
    try {
      await this.#fetchList();
      await this.#reconcile();
      this.#failedRounds = 0;
      this.#error = null;
      this.#lastAt = Date.now();
      this.#becomeReady();
      const retryMs = this.#failures.nextRetryMs - performance.now();
      return Math.max(INTERVAL_MS_MIN, Math.min(INTERVAL_MS, retryMs));
    } catch (err) {
      if (this.#closing.signal.aborted) return 0;
      this.#becomeReady();
      const reason = errorMessage(err);
      // The same reason is logged once, however long the balancer is down.
      if (reason !== this.#error) this.#options.log.warn({ reason, err }, "sync.failed");
      this.#error = reason;
      this.#failedRounds += 1;
      return backoffMs(this.#failedRounds - 1, RETRY);
    }
  }

  #becomeReady(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#options.onChange();
  }

  async #fetchList(): Promise<void> {
    const { client, scanner, log } = this.#options;
    const { list, etag } = await client.assignedModels(this.#etag, this.#closing.signal);
    this.#etag = etag;
    if (list === undefined) return;
    this.#assigned = list;
    log.info({ models: list.models.map(({ id }) => id) }, "sync.list");
    await scanner.setRegistered(list.models);
  }

  /** Does what the plan says; the pulls that it starts go on afterwards. */
  async #reconcile(): Promise<void> {
    const { scanner, store, pulls, log } = this.#options;
    const assigned = this.#assigned;
    if (assigned === undefined) return;
    const running = [...this.#jobs].filter(([, job]) => job.isRunning).map(([id]) => id);
    const local = await localModels(scanner, store);
    const [retries, nowMs] = [this.#failures.retries(), performance.now()];
    const plan = planSync({ assigned, local, running, retries, nowMs });
    const ids = new Set(assigned.models.map(({ id }) => id));
    this.#failures.keepOnly(ids);
    for (const id of ids) this.#unremovable.delete(id);
    for (const id of plan.cancel) await this.#cancel(id);
    for (const id of plan.remove) if (!this.#unremovable.has(id)) await this.#remove(id);
    for (const model of plan.setTemplate) await this.#setTemplate(model);
    for (const model of plan.pull) {
      log.info({ model: model.id, revision: model.revision }, "sync.pull");
      const job = pulls.start(model.id, "sync", this.source);
      this.#jobs.set(model.id, job);
      void job.finished.then(() => this.#onFinished(model, job));
    }
  }

  #onFinished(model: AssignedModel, job: PullJob): void {
    const { id } = model;
    if (this.#jobs.get(id) === job) this.#jobs.delete(id);
    const error = job.failure ?? unusableError(id, this.#options.scanner);
    if (error === undefined) this.#failures.delete(id);
    else if (error.code !== "pull_cancelled") this.#failures.add(model, error, performance.now());
    this.#options.onChange();
    this.#notify.notify();
  }

  /** Replaces the recorded chat template by that of the manifest. */
  async #setTemplate({ id }: AssignedModel): Promise<void> {
    const { client, scanner, store, log } = this.#options;
    const { signal } = this.#closing;
    try {
      const { chat_template: template } = await client.manifest(id, signal);
      await store.setTemplate(id, template, signal);
      log.info({ model: id }, "sync.template");
      await scanner.scan();
    } catch (err) {
      signal.throwIfAborted();
      log.warn({ model: id, err }, "sync.template_failed"); // The next round tries again.
    }
  }

  /** Ends the pull of a model that is not listed any more, unless a person started it. */
  async #cancel(id: string): Promise<void> {
    const job = this.#jobs.get(id);
    if (job?.placedBy !== "sync") return;
    const message = `The pull of ${id} was ended: the model is no longer registered.`;
    job.abort(new ApiError("unavailable", message, { code: "pull_cancelled" }));
    await job.finished;
    await this.#remove(id);
  }

  /** Removes the files of a model that sync placed and that nobody has changed since. */
  async #remove(id: string): Promise<void> {
    const { scanner, store, log } = this.#options;
    try {
      const files = await scanner.withdraw(id, () => store.removeSynced(id));
      log.info({ model: id, files }, "sync.removed");
      if (files.length === 0) this.#unremovable.add(id);
    } catch (err) {
      this.#unremovable.add(id);
      log.warn({ model: id, err }, "sync.remove_failed");
    }
    this.#options.onChange();
  }
}

/** Why a model that was pulled cannot be used, e.g. due to other files in its folder. */
function unusableError(id: string, { models, unusable }: ModelScanner): ApiError | undefined {
  const isIt = (one: string) => one.toLowerCase() === id.toLowerCase();
  if (models.some(({ model }) => isIt(model.id))) return undefined;
  const reason = unusable.find((one) => isIt(one.id))?.reason ?? "its files are gone";
  const message = `The model ${id} was pulled but cannot be used: ${reason}.`;
  return new ApiError("model_load_failed", message, { code: "model_unusable", param: "model" });
}
