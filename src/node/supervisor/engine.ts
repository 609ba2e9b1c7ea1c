import type { Engine, EngineOptions } from "../../engine/engine.ts";
import { withDeadline } from "../../lib/deadline.ts";
import type { Logger } from "../../lib/log.ts";
import { Waiters } from "../../lib/waiters.ts";
import { ApiError } from "../../wire/error.ts";
import type { ModelFiles } from "../models/modelfiles.ts";
import { asLoadError, loadError, refusalError } from "./errors.ts";
import {
  decideUse,
  type EngineStatus,
  INITIAL,
  type Lifecycle,
  type LifecycleEvent,
  nextState,
  startLoading,
  statusOf,
} from "./lifecycle.ts";

/** Starts an engine; `launchEngine`, or a fake in tests. */
export type Launch = (options: EngineOptions) => Promise<Engine>;

export interface SupervisedEngineOptions {
  modelId: string;
  /** The engine's name in errors and logs, e.g. `llmlb-tiny` or `llmlb-tiny (embeddings)`. */
  label: string;
  /** The llama-server arguments to start the engine with. */
  args(files: ModelFiles): string[];
  /** Called when the engine's process has ended, or could not load its model. */
  onEnd?(): void;
  /** The model's files as they are now. */
  locate(): Promise<ModelFiles>;
  launch: Launch;
  home: string;
  loadTimeoutMs: number;
  log: Logger;
  nowMs(): number;
}

/** The right to use an engine; must be released. */
export interface EngineLease {
  engine: Engine;
  /** Gives the lease back. Further calls do nothing. */
  release(): void;
}

export interface AcquireOptions {
  /** Aborted when the client disconnects. The load continues for others. */
  signal: AbortSignal;
  /** Longest wait for a load. */
  waitMs: number;
}

/** One engine with its restarts: does what `lifecycle.ts` decides. */
export class SupervisedEngine {
  readonly #options: SupervisedEngineOptions;
  #life: Lifecycle = INITIAL;
  #process: Engine | undefined;
  #load: Promise<Engine> | undefined;
  readonly #closing = new AbortController();
  /** Leases that are not released. */
  #busy = 0;
  /** Called when the last lease is released. */
  readonly #idle = new Waiters();

  constructor(options: SupervisedEngineOptions) {
    this.#options = options;
  }

  /** The engine's name in errors and logs. */
  get label(): string {
    return this.#options.label;
  }

  /** How many requests use the engine now. */
  get busy(): number {
    return this.#busy;
  }

  /** The engine's process; undefined while no model is loaded. */
  get loadedEngine(): Engine | undefined {
    return this.#process;
  }

  /** When it was loaded, Unix ms; undefined while it is not. */
  get readySinceMs(): number | undefined {
    return this.#life.state === "ready" ? this.#life.sinceMs : undefined;
  }

  status(): EngineStatus {
    return statusOf(this.#life, { nowMs: this.#options.nowMs() });
  }

  /**
   * Starts the engine if it does not run, and waits for its load. Throws 503 `model_load_failed`
   * with the reason as its code, 503 with `Retry-After` while the engine backs off or if its load
   * takes longer than `waitMs`, and `client_closed`.
   */
  async acquire(options: AcquireOptions): Promise<EngineLease> {
    const engine =
      this.#process ?? (await loadedInTime(this.#loaded(), this.#options.label, options));
    this.#busy += 1;
    let isReleased = false;
    const release = () => {
      if (!isReleased) this.#busy -= 1;
      isReleased = true;
      if (this.#busy === 0) this.#idle.wakeAll();
    };
    return { engine, release };
  }

  /** Starts the engine if it does not run. Resolves when it is loaded; throws as `acquire`. */
  async warm(): Promise<void> {
    await this.#loaded();
  }

  /** Resolves when no request uses the engine, or after `waitMs`. */
  async idle(waitMs: number): Promise<void> {
    if (this.#busy === 0) return;
    await this.#idle.wait({ timeoutMs: waitMs });
  }

  /** Ends the engine for good: asks it to end, and kills it after `graceMs`. */
  async close(graceMs: number, why = "This node is shutting down."): Promise<void> {
    this.#closing.abort(new ApiError("draining", why, { retryAfterS: 5 }));
    await this.#load?.catch(() => undefined); // those who wait for it get the error
    await this.#process?.stop(graceMs);
  }

  async #loaded(): Promise<Engine> {
    const { label, locate, nowMs } = this.#options;
    const files = await locate();
    const use = decideUse(this.#life, { nowMs: nowMs(), fingerprint: files.fingerprint });
    if (use.do === "refuse") throw refusalError(label, use);
    const load = use.do === "start" ? this.#start(files) : this.#load;
    if (load === undefined) throw new Error(`engine of ${label}: loading without a load`);
    try {
      return await load;
    } catch (cause) {
      throw loadError(label, asLoadError(cause));
    }
  }

  #start(files: ModelFiles): Promise<Engine> {
    this.#closing.signal.throwIfAborted();
    this.#life = startLoading(this.#life, files.fingerprint);
    const load = this.#launch(files);
    load.catch(() => undefined); // all who wait handle a failure; maybe nobody waits any more
    this.#load = load;
    return load;
  }

  async #launch(files: ModelFiles): Promise<Engine> {
    const { label, log, nowMs } = this.#options;
    const startMs = nowMs();
    log.info({ model: label, file: files.path }, "engine.loading");
    try {
      const engine = await this.#options.launch(this.#engineOptions(files));
      this.#process = engine;
      this.#on({ type: "loaded", nowMs: nowMs() });
      log.info({ model: label, engine_pid: engine.pid, ms: nowMs() - startMs }, "engine.ready");
      engine.exited.then((exit) => this.#onExit(exit));
      return engine;
    } catch (error) {
      this.#options.onEnd?.();
      const { reason, message } = asLoadError(error);
      this.#on({ type: "load_failed", nowMs: nowMs(), reason, message });
      log.warn({ model: label, reason, message }, "engine.load_failed");
      throw error;
    }
  }

  #engineOptions(files: ModelFiles): EngineOptions {
    const { modelId, args, home, loadTimeoutMs, log } = this.#options;
    return {
      modelId,
      modelPath: files.path,
      ...(files.mmproj === undefined ? {} : { mmprojPath: files.mmproj }),
      args: args(files),
      home,
      loadTimeoutMs,
      log,
      onProgress: (fraction) => this.#on({ type: "progress", fraction }),
      signal: this.#closing.signal,
    };
  }

  #onExit({ expected, message }: { expected: boolean; message: string }): void {
    const { label, log, nowMs } = this.#options;
    this.#process = undefined;
    this.#options.onEnd?.();
    this.#on(expected ? { type: "stopped" } : { type: "crashed", nowMs: nowMs(), message });
    if (expected) log.info({ model: label }, "engine.stopped");
    else log.error({ model: label, message, busy: this.#busy }, "engine.crashed");
  }

  #on(event: LifecycleEvent): void {
    this.#life = nextState(this.#life, event);
  }
}

/** Waits for a load. Throws when the wait takes too long or the client leaves; the load goes on. */
async function loadedInTime<T>(
  load: Promise<T>,
  label: string,
  { signal, waitMs }: AcquireOptions,
): Promise<T> {
  const outcome = await withDeadline(load, { timeoutMs: waitMs, signal });
  if (outcome === "aborted") {
    throw new ApiError("client_closed", "The client left while the model was loading.");
  }
  if (outcome === "timeout") {
    const message = `Loading ${label} takes longer than this request may wait. Try again later.`;
    throw new ApiError("unavailable", message, { code: "model_loading", retryAfterS: 10 });
  }
  return outcome;
}
