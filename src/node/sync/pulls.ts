import { withDeadline } from "../../lib/deadline.ts";
import type { Logger } from "../../lib/log.ts";
import { Semaphore } from "../../lib/semaphore.ts";
import type { FileOwner } from "../../storage/modelrecord.ts";
import type { Puller } from "../../storage/pull/puller.ts";
import { ApiError } from "../../wire/error.ts";
import type { FileSelector } from "./fileselector.ts";
import type { ModelSource } from "./modelsource.ts";
import { PullJob } from "./pulljob.ts";

export interface PullsOptions {
  puller: Puller;
  fileSelector: FileSelector;
  log: Logger;
  /** Makes the node serve a model whose files are complete. */
  onFiles(model: string): Promise<void>;
  /** Called when a pull changes its state. */
  onChange(): void;
}

/** Models that are pulled at the same time. */
const MODELS_AT_ONCE = 2;
/** How many of the last pulls that ended are kept. */
const ENDED_MAX = 100;
/** Pulls that may run or wait. */
const RUNNING_MAX = 10_000;

/** The pulls of a node: those that run, and the last ones that ended. */
export class Pulls {
  readonly #options: PullsOptions;
  readonly #jobs = new Map<string, PullJob>();
  readonly #slots = new Semaphore(MODELS_AT_ONCE);

  constructor(options: PullsOptions) {
    this.#options = options;
  }

  /** All pulls, the newest first. */
  list(): PullJob[] {
    return [...this.#jobs.values()].reverse();
  }

  /** The pull with this id. */
  get(id: string): PullJob | undefined {
    return this.#jobs.get(id);
  }

  /** The running pulls that will make this name known: an id, with or without a quantization. */
  pullsFor(name: string): PullJob[] {
    const [id = "", quantization] = name.split(":");
    return this.list().filter((job) => job.isRunning && job.isOf(id, quantization));
  }

  /**
   * Starts to pull a model, or returns its running pull, however that one was spelled. Throws 400
   * for what is no name, and 503 if too many run.
   */
  start(model: string, placedBy: FileOwner, source: ModelSource): PullJob {
    const target = source.target(model);
    const running = this.list().filter(({ isRunning }) => isRunning);
    const same = running.find((job) => job.pulls(target));
    if (same !== undefined) return same;
    if (running.length >= RUNNING_MAX) {
      const message = `Pulling ${model} failed: ${RUNNING_MAX} pulls are running or waiting.`;
      throw new ApiError("unavailable", message, { code: "too_many_pulls", retryAfterS: 60 });
    }
    const job = new PullJob(target, placedBy);
    this.#jobs.set(job.id, job);
    this.#forget();
    void this.#run(job, model, source);
    return job;
  }

  /** Ends all pulls and keeps the files they have so far. Resolves when all have ended. */
  async close(): Promise<void> {
    const running = this.list().filter(({ isRunning }) => isRunning);
    for (const job of running) job.abort(cancelledError());
    await Promise.all(running.map(({ finished }) => finished));
  }

  /** Never rejects. */
  async #run(job: PullJob, name: string, source: ModelSource): Promise<void> {
    const { log, onFiles, onChange } = this.#options;
    try {
      await this.#pull(job, name, source);
      await onFiles(job.model);
      job.end();
      log.info({ model: job.model, ms: Date.now() - job.startedAt }, "pull.done");
    } catch (err) {
      job.end(job.signal.aborted ? job.signal.reason : err);
      log.warn({ model: job.model, reason: job.failure?.message, err }, "pull.failed");
    } finally {
      // Ends what still runs for the pull, such as the renewal of its download lease.
      job.abort(cancelledError());
      onChange();
    }
  }

  async #pull(job: PullJob, name: string, source: ModelSource): Promise<void> {
    const { puller, fileSelector, log, onChange } = this.#options;
    const { signal, placedBy } = job;
    const offer = await source.offer(name, signal);
    const { manifest } = offer;
    job.model = manifest.model;
    job.revision = manifest.revision;
    const { candidate, files, notes } = await fileSelector.select(offer, signal);
    const { quantization } = candidate;
    for (const note of [...notes, ...offer.notes])
      log.warn({ model: job.model, note }, "pull.note");
    const twin = this.#fetching(job, quantization);
    job.quantization = quantization;
    job.setFiles(files);
    onChange();
    if (twin !== undefined) return await outcomeOf(twin, signal);
    using _ = await this.#slots.acquire(signal);
    const onWait = (holder: string) => job.setLeaseHolder(holder);
    const peers = await source.acquireLease(manifest, files, { signal, onWait });
    const names = files.map(({ filename }) => filename);
    log.info({ model: job.model, files: names, peers: peers.length }, "pull.begun");
    const request = { manifest: { ...manifest, peers }, files, quantization, placedBy, signal };
    const transfer = puller.pull(request);
    job.setProgress(transfer.progress);
    onChange();
    await transfer.result;
  }

  /** The pull that fetches the same files: which they are was not known when this one began. */
  #fetching(job: PullJob, quantization: string | null): PullJob | undefined {
    return this.list().find((other) => {
      const isFetching = other !== job && other.isRunning && other.quantization !== null;
      return isFetching && other.model === job.model && other.quantization === quantization;
    });
  }

  /** Drops the oldest of too many pulls that ended. */
  #forget(): void {
    const ended = [...this.#jobs.values()].filter(({ isRunning }) => !isRunning);
    for (const job of ended.slice(0, Math.max(0, ended.length - ENDED_MAX))) {
      this.#jobs.delete(job.id);
    }
  }
}

/** Waits for another pull to end. Throws its failure, or the signal's reason. */
async function outcomeOf(twin: PullJob, signal: AbortSignal): Promise<void> {
  await withDeadline(twin.finished, { signal });
  signal.throwIfAborted();
  if (twin.failure !== undefined) throw twin.failure;
}

function cancelledError(): ApiError {
  const message = "The pull was ended: the node stops, or the model is no longer wanted.";
  return new ApiError("unavailable", message, { code: "pull_cancelled" });
}
