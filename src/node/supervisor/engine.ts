import type { Engine } from "../../engine/engine.ts";
import { Waiters } from "../../lib/waiters.ts";
import { ApiError } from "../../wire/error.ts";
import type { ModelFiles } from "../models/modelfiles.ts";
import { type EndLimits, endEngine, UNLOAD_LIMITS } from "./ending.ts";
import { launchOptions, type SupervisedEngineOptions } from "./engineoptions.ts";
import { asLoadError, loadError, refusalError } from "./errors.ts";
import { IdleTimer } from "./idletimer.ts";
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
import { type AcquireOptions, loadedInTime } from "./loadwait.ts";
import type { Resident } from "./room/room.ts";

/** The right to use an engine; must be released. */
export interface EngineLease {
  engine: Engine;
  /** Gives the lease back. Further calls do nothing. */
  release(): void;
}

/** One engine with its restarts: does what `lifecycle.ts` decides. */
export class SupervisedEngine implements Resident {
  readonly #options: SupervisedEngineOptions;
  #life: Lifecycle = INITIAL;
  #process: Engine | undefined;
  #load: Promise<Engine> | undefined;
  readonly #closing = new AbortController();
  /** Leases that are not released. */
  #busy = 0;
  /** Requests that wait for its load. */
  #waiting = 0;
  /** It is to end for another one: requests wait until it has. */
  #isHeldBack = false;
  /** It is to end with its last request, pinned or not. */
  #isLeaving = false;
  #usedMs = 0;
  readonly #idleTimer: IdleTimer;
  #loadMs = 0;
  /** Called when it is no longer held back. */
  readonly #admission = new Waiters();
  #unloading: Promise<void> | undefined;
  /** Called when nobody has a lease any more, or waits for one. */
  readonly #idle = new Waiters();

  constructor(options: SupervisedEngineOptions) {
    this.#options = options;
    this.#idleTimer = new IdleTimer(options.keepAliveMs, () => this.#expired());
  }

  /** The engine's name in errors and logs. */
  get label(): string {
    return this.#options.label;
  }

  /** Its part of the node's memory. */
  get room(): SupervisedEngineOptions["room"] {
    return this.#options.room;
  }

  /** How many requests use the engine now. */
  get busy(): number {
    return this.#busy;
  }

  get isBusy(): boolean {
    // Those that wait while it is held back start it again afterwards.
    const waiting = this.#isHeldBack ? 0 : this.#waiting;
    return this.#busy + waiting > 0 || this.#life.state === "loading";
  }

  get isPinned(): boolean {
    return this.#options.isPinned() && !this.#isLeaving;
  }

  get usedMs(): number {
    return this.#usedMs;
  }

  get loadMs(): number {
    return this.#loadMs;
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
   * takes longer than `waitMs`, and `client_closed`. A request counts as waiting, then as busy.
   */
  async acquire(options: AcquireOptions): Promise<EngineLease> {
    this.#waiting += 1;
    try {
      return this.lease() ?? this.#leaseOf(await loadedInTime(this.#loaded(), this.label, options));
    } finally {
      this.#waiting -= 1;
      this.#wakeIdle();
    }
  }

  /** The right to use it at once; undefined: it has to be waited for. */
  lease(): EngineLease | undefined {
    return this.#isHeldBack || !this.#process ? undefined : this.#leaseOf(this.#process);
  }

  #leaseOf(engine: Engine): EngineLease {
    this.#busy += 1;
    this.#idleTimer.stop();
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      this.#busy -= 1;
      this.#usedMs = this.#options.nowMs();
      if (this.#busy > 0) return;
      this.#wakeIdle();
      this.#idleTimer.start();
      this.#options.onIdle?.();
    };
    return { engine, release };
  }

  #wakeIdle(): void {
    if (this.#busy + this.#waiting === 0) this.#idle.wakeAll();
  }

  /** How long it stays loaded after its last request from now on, in ms; 0: it ends at once. */
  keepAlive(ms: number): void {
    this.#idleTimer.set(ms);
    if (!this.isBusy) this.#idleTimer.start();
  }

  /** Ends with its last request, pinned or not; `stay` takes that back. */
  leave(): void {
    this.#isLeaving = true;
    this.keepAlive(0);
  }

  /** It is wanted, and is no longer to end with its last request. */
  stay(): void {
    if (this.#isLeaving) this.#idleTimer.reset();
    this.#isLeaving = false;
  }

  /** It may end for others from now on, and when its time is over. */
  unpinned(): void {
    if (!this.isBusy) this.#idleTimer.start();
  }

  /** When it ends if nobody asks, Unix ms; undefined: not before its memory is needed. */
  get expiresMs(): number | undefined {
    if (this.#process === undefined || this.isPinned) return undefined;
    return this.#idleTimer.expiresMs(this.#busy > 0 ? this.#options.nowMs() : this.#usedMs);
  }

  #expired(): void {
    if (this.#process === undefined || this.isBusy || this.isPinned) return;
    this.#options.log.info({ model: this.label }, "engine.idle_too_long");
    void this.unload();
  }

  holdBack(): void {
    this.#isHeldBack = this.#process !== undefined;
  }

  letIn(): void {
    if (this.#unloading !== undefined) return;
    this.#isHeldBack = false;
    this.#admission.wakeAll();
  }

  async unload(): Promise<void> {
    this.holdBack();
    if (this.#process === undefined) return;
    this.#unloading ??= endEngine(this.#process, this.#options.prompts, UNLOAD_LIMITS);
    await this.#unloading;
  }

  /** Starts the engine if it does not run. Resolves when it is loaded; throws as `acquire`. */
  async warm(): Promise<void> {
    await this.#loaded();
  }

  /**
   * It is to end, pinned or not, and gets no more requests. Resolves when none uses it or waits for
   * it, or after `waitMs`.
   */
  async drained(waitMs: number | undefined): Promise<void> {
    this.#isLeaving = true;
    if (this.#busy + this.#waiting > 0) await this.#idle.wait({ timeoutMs: waitMs });
  }

  /** Ends the engine for good. Those who wait for it are told why. */
  async close(limits: EndLimits, why = "This node is shutting down."): Promise<void> {
    this.#closing.abort(new ApiError("draining", why, { retryAfterS: 5 }));
    await this.#load?.catch(() => undefined); // those who wait for it get the error
    const engine = this.#process;
    if (engine === undefined) return;
    this.#unloading ??= endEngine(engine, this.#options.prompts, limits);
    await this.#unloading;
  }

  async #loaded(): Promise<Engine> {
    const { label, locate, nowMs } = this.#options;
    while (this.#isHeldBack) await this.#admission.wait();
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
    this.#options.onChange?.();
    const load = this.#launch(files);
    load.catch(() => undefined); // all who wait handle a failure; maybe nobody waits any more
    this.#load = load;
    return load;
  }

  async #launch(files: ModelFiles): Promise<Engine> {
    const { label, log, nowMs } = this.#options;
    const startMs = nowMs();
    try {
      await this.#options.room.reserve(this, files, this.#closing.signal);
      this.#options.onChange?.();
      log.info({ model: label, file: files.path }, "engine.loading");
      const launchedMs = nowMs();
      const engine = await this.#options.launch({
        ...launchOptions(this.#options, files),
        onProgress: (fraction) => this.#on({ type: "progress", fraction }),
        signal: this.#closing.signal,
      });
      await this.#options.prompts?.offer(engine, files);
      this.#process = engine;
      this.#usedMs = nowMs();
      this.#loadMs = this.#usedMs - launchedMs;
      this.#options.room.loaded(files, engine.info, engine.pid);
      this.#on({ type: "loaded", nowMs: nowMs() });
      if (this.#waiting === 0) this.#idleTimer.start();
      log.info({ model: label, engine_pid: engine.pid, ms: nowMs() - startMs }, "engine.ready");
      engine.exited.then((exit) => this.#onExit(exit));
      return engine;
    } catch (error) {
      this.#options.room.release();
      this.#options.onEnd?.();
      const { reason, message } = asLoadError(error);
      this.#on({ type: "load_failed", nowMs: nowMs(), reason, message });
      log.warn({ model: label, reason, message }, "engine.load_failed");
      throw error;
    }
  }

  #onExit({ expected, message }: { expected: boolean; message: string }): void {
    const { label, log, nowMs } = this.#options;
    this.#process = undefined;
    this.#unloading = undefined;
    this.#isLeaving = false;
    this.#idleTimer.reset();
    this.#options.room.release();
    this.#options.onEnd?.();
    this.#on(expected ? { type: "stopped" } : { type: "crashed", nowMs: nowMs(), message });
    this.letIn();
    if (expected) log.info({ model: label }, "engine.stopped");
    else log.error({ model: label, message, busy: this.#busy }, "engine.crashed");
  }

  #on(event: LifecycleEvent): void {
    this.#life = nextState(this.#life, event);
    if (event.type === "progress") return;
    this.#options.onEvent?.(event.type);
    this.#options.onChange?.();
  }
}
