import type { Engine, EngineOptions } from "../../engine/launch.ts";
import type { Logger } from "../../lib/log.ts";
import { ApiError } from "../../wire/error.ts";
import type { ModelFiles } from "../models/catalog.ts";
import { asLoadError, loadError, refusedError } from "./failure.ts";
import {
  admit,
  decide,
  INITIAL,
  type Lifecycle,
  type LifecycleEvent,
  type Report,
  report,
  started,
} from "./lifecycle.ts";

/** Starts an engine; `launchEngine`, or a stand-in for it in tests. */
export type Launch = (options: EngineOptions) => Promise<Engine>;

export interface RunnerOptions {
  modelId: string;
  /** Names the engine in errors and logs, e.g. `llmlb-tiny` or `llmlb-tiny (embeddings)`. */
  label: string;
  /** The engine's arguments for the model's files. */
  args(files: ModelFiles): string[];
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
  /** Ends the use; idempotent. */
  release(): void;
}

export interface Patience {
  /** Aborted when the client goes away; the load goes on for others. */
  signal: AbortSignal;
  /** Longest wait for a load. */
  waitMs: number;
}

/** Drives one engine through its life: what `lifecycle` decides, this does. */
export class Runner {
  readonly #options: RunnerOptions;
  #life: Lifecycle = INITIAL;
  #engine: Engine | undefined;
  #load: Promise<Engine> | undefined;
  #closing = new AbortController();
  #busy = 0;
  /** Called when the last use ends. */
  #onIdle: (() => void) | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** How errors call the engine. */
  get label(): string {
    return this.#options.label;
  }

  /** Requests that use the engine now. */
  get busy(): number {
    return this.#busy;
  }

  /** The loaded engine, if there is one. */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  /** Since when it is loaded, Unix ms; undefined while it is not. */
  get readySinceMs(): number | undefined {
    return this.#life.state === "ready" ? this.#life.sinceMs : undefined;
  }

  report(): Report {
    return report(this.#life, { nowMs: this.#options.nowMs() });
  }

  /**
   * Waits for the engine, starting it if need be. Throws 503 `model_load_failed` with the reason as
   * its code, 503 with `Retry-After` while it backs off or loads for too long, `client_closed`.
   */
  async acquire(patience: Patience): Promise<EngineLease> {
    const engine = this.#engine ?? (await waitFor(this.#loaded(), this.#options.label, patience));
    this.#busy += 1;
    let held = true;
    const release = () => {
      if (held) this.#busy -= 1;
      held = false;
      if (this.#busy === 0) this.#onIdle?.();
    };
    return { engine, release };
  }

  /** Starts the engine if it is not running. Settles as its load does, with the same errors. */
  async warm(): Promise<void> {
    await this.#loaded();
  }

  /** Settles when no request uses the engine, or after `waitMs`. */
  async idle(waitMs: number): Promise<void> {
    if (this.#busy === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    this.#onIdle = resolve;
    await promise;
    clearTimeout(timer);
  }

  /** Ends the engine: asks first, kills after `graceMs`. It can't be started again. */
  async close(graceMs: number, why = "This node is shutting down."): Promise<void> {
    this.#closing.abort(new ApiError("draining", why, { retryAfterS: 5 }));
    await this.#load?.catch(() => undefined); // its own waiters were told
    await this.#engine?.stop(graceMs);
  }

  async #loaded(): Promise<Engine> {
    const { label, locate, nowMs } = this.#options;
    const files = await locate();
    const admission = admit(this.#life, { nowMs: nowMs(), files: files.fingerprint });
    if (admission.do === "refuse") throw refusedError(label, admission);
    const load = admission.do === "start" ? this.#start(files) : this.#load;
    if (load === undefined) throw new Error(`engine of ${label}: loading without a load`);
    try {
      return await load;
    } catch (cause) {
      throw loadError(label, asLoadError(cause));
    }
  }

  #start(files: ModelFiles): Promise<Engine> {
    this.#closing.signal.throwIfAborted();
    this.#life = started(this.#life, files.fingerprint);
    const load = this.#launch(files);
    load.catch(() => undefined); // every waiter handles it; there may be none left
    this.#load = load;
    return load;
  }

  async #launch(files: ModelFiles): Promise<Engine> {
    const { label, log, nowMs } = this.#options;
    const begunMs = nowMs();
    log.info({ model: label, file: files.path }, "engine.loading");
    try {
      const engine = await this.#options.launch(this.#engineOptions(files));
      this.#engine = engine;
      this.#on({ type: "loaded", nowMs: nowMs() });
      log.info({ model: label, engine_pid: engine.pid, ms: nowMs() - begunMs }, "engine.ready");
      engine.exited.then((exit) => this.#onExit(exit));
      return engine;
    } catch (error) {
      const { reason, message } = asLoadError(error);
      this.#on({ type: "load_failed", nowMs: nowMs(), reason, message });
      log.warn({ model: label, reason, err: error }, "engine.load_failed");
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
    this.#engine = undefined;
    this.#on(expected ? { type: "stopped" } : { type: "crashed", nowMs: nowMs(), message });
    if (expected) log.info({ model: label }, "engine.stopped");
    else log.error({ model: label, message, busy: this.#busy }, "engine.crashed");
  }

  #on(event: LifecycleEvent): void {
    this.#life = decide(this.#life, event);
  }
}

async function waitFor<T>(
  load: Promise<T>,
  label: string,
  { signal, waitMs }: Patience,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () =>
    reject(new ApiError("client_closed", "The client left while the model was loading."));
  const message = `Loading ${label} takes longer than this request may wait. Try again later.`;
  const tooLong = new ApiError("unavailable", message, { code: "model_loading", retryAfterS: 10 });
  const timer = setTimeout(() => reject(tooLong), waitMs);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([load, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
