import type { Logger } from "../../lib/log.ts";
import { Semaphore } from "../../lib/semaphore.ts";
import type { Puller } from "../../storage/pull/pull.ts";
import type { PlacedBy } from "../../storage/record.ts";
import { ApiError } from "../../wire/error.ts";
import type { Chooser } from "./choice.ts";
import { PullJob } from "./job.ts";
import type { Source } from "./source.ts";

export interface PullsOptions {
  puller: Puller;
  chooser: Chooser;
  log: Logger;
  /** Makes a model known whose files have come. */
  onFiles(model: string): Promise<void>;
  /** Called when a job's state is another. */
  onChange(): void;
}

/** Models that are fetched at the same time. */
const MODELS_AT_ONCE = 2;
/** Pulls that have ended are told of as long as there are not more. */
const ENDED_MAX = 100;
/** Pulls that may run or wait. */
const RUNNING_MAX = 10_000;

/** The pulls of a node: those that run, and the last that ended. */
export class Pulls {
  readonly #options: PullsOptions;
  readonly #jobs = new Map<string, PullJob>();
  readonly #slots = new Semaphore(MODELS_AT_ONCE);

  constructor(options: PullsOptions) {
    this.#options = options;
  }

  /** All of them, the newest first. */
  list(): PullJob[] {
    return [...this.#jobs.values()].reverse();
  }

  get(id: string): PullJob | undefined {
    return this.#jobs.get(id);
  }

  /** The pull of a model that goes on now. */
  running(model: string): PullJob | undefined {
    const key = model.toLowerCase();
    return this.list().find((job) => job.isRunning && job.model.toLowerCase() === key);
  }

  /** The pull by which a name comes to mean a model: its id, perhaps with its quantization. */
  bringing(name: string): PullJob | undefined {
    const wanted = [name, `hf/${name}`].map((one) => one.toLowerCase());
    return this.list().find(({ isRunning, model, quantization }) => {
      const own = quantization === null ? [model] : [model, `${model}:${quantization}`];
      return isRunning && own.some((one) => wanted.includes(one.toLowerCase()));
    });
  }

  /** Begins to fetch a model; one that is fetched already goes on. Throws 503 if there are many. */
  start(model: string, placedBy: PlacedBy, source: Source): PullJob {
    const known = this.running(model);
    if (known !== undefined) return known;
    if (this.list().filter(({ isRunning }) => isRunning).length >= RUNNING_MAX) {
      const message = `Pulling ${model} failed: ${RUNNING_MAX} pulls are running or waiting.`;
      throw new ApiError("unavailable", message, { code: "too_many_pulls", retryAfterS: 60 });
    }
    const job = new PullJob(model, placedBy);
    this.#jobs.set(job.id, job);
    this.#forget();
    void this.#run(job, source);
    return job;
  }

  /** Ends all pulls; what has come is kept. Settles when they have ended. */
  async close(): Promise<void> {
    const running = this.list().filter(({ isRunning }) => isRunning);
    for (const job of running) job.stop.abort(cancelled());
    await Promise.all(running.map(({ ended }) => ended));
  }

  async #run(job: PullJob, source: Source): Promise<void> {
    const { log, onFiles, onChange } = this.#options;
    try {
      await this.#fetch(job, source);
      await onFiles(job.model);
      job.end();
      log.info({ model: job.model, ms: Date.now() - job.startedAt }, "pull.done");
    } catch (err) {
      job.end(job.stop.signal.aborted ? job.stop.signal.reason : err);
      log.warn({ model: job.model, reason: job.failure?.message, err }, "pull.failed");
    } finally {
      // Whatever still goes on for it, such as keeping its turn, ends too.
      job.stop.abort(cancelled());
      onChange();
    }
  }

  async #fetch(job: PullJob, source: Source): Promise<void> {
    const { puller, chooser, log, onChange } = this.#options;
    const { signal } = job.stop;
    const offer = await source.offer(job.model, signal);
    const { manifest } = offer;
    job.model = manifest.model;
    job.revision = manifest.revision;
    const { candidate, files, notes } = await chooser.choose(offer, signal);
    for (const note of notes) log.warn({ model: job.model, note }, "pull.note");
    job.quantization = candidate.quantization;
    job.expect(files);
    onChange();
    using _ = await this.#slots.acquire(signal);
    const told = { signal, onWait: (holder: string) => job.waitFor(holder) };
    const peers = await source.turn(manifest, files, told);
    const { quantization } = candidate;
    const names = files.map(({ filename }) => filename);
    log.info({ model: job.model, files: names, peers: peers.length }, "pull.begun");
    const { placedBy } = job;
    const from = { ...manifest, peers };
    const pull = puller.pull({ manifest: from, files, quantization, placedBy, signal });
    job.attach(pull.progress);
    onChange();
    await pull.result;
  }

  #forget(): void {
    const ended = [...this.#jobs.values()].filter(({ isRunning }) => !isRunning);
    for (const job of ended.slice(0, Math.max(0, ended.length - ENDED_MAX))) {
      this.#jobs.delete(job.id);
    }
  }
}

function cancelled(): ApiError {
  const message = "The pull was ended: the node stops, or the model is no longer wanted.";
  return new ApiError("unavailable", message, { code: "pull_cancelled" });
}
