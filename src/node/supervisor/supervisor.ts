import { freemem } from "node:os";
import { readHostMemory } from "../../lib/hostmemory.ts";
import type { RunSettings } from "../../wire/runsettings.ts";
import type { ServedModel } from "../models/catalog.ts";
import type { ModelFiles } from "../models/modelfiles.ts";
import { EnginePrompts } from "../prompts/engineprompts.ts";
import { joinArguments } from "./argumentlist.ts";
import { SupervisedEngine } from "./engine.ts";
import { LoadSettings } from "./loadsettings.ts";
import { Pins } from "./pins.ts";
import { PromptCaches } from "./promptcaches.ts";
import { EngineRoom } from "./room/engineroom.ts";
import { type Memory, sumOf } from "./room/memory.ts";
import { Room } from "./room/room.ts";
import type { LoadOptions, SupervisorOptions } from "./supervisoroptions.ts";
import { chooseTask, ENGINE_TASKS, type EngineTask, taskArgs } from "./task.ts";

/** How long engines may write their prompts when the node shuts down, in ms. */
const KEEP_MS_MAX = 2000;

/** What engines for a task have after the model's id in errors and logs. */
const LABELS: Record<EngineTask, string> = {
  generate: "",
  embed: " (embeddings)",
  rerank: " (rerank)",
};

/** Owns the engines of a node: one for each model and task that a request has needed. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #engines = new Map<string, SupervisedEngine>();
  readonly #retiring = new Set<SupervisedEngine>();
  readonly #promptCaches: PromptCaches;
  readonly #pins: Pins;
  readonly #loadSettings = new LoadSettings();
  /** Engines that were made so far. */
  #made = 0;
  readonly room: Room;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#promptCaches = new PromptCaches(options.availableBytes ?? hostBytesLeft);
    this.#pins = new Pins(options);
    const { ledger, enginesMax, log, nowMs = Date.now } = options;
    this.room = new Room({
      ledger,
      enginesMax: enginesMax ?? Number.POSITIVE_INFINITY,
      log,
      nowMs,
    });
  }

  /**
   * The engine for a request that needs this task; undefined takes any engine of the model, a
   * loaded one first. Throws 400 `model_capability_mismatch` if the model cannot do the task.
   */
  async engineFor(model: ServedModel, task: EngineTask | undefined): Promise<SupervisedEngine> {
    const loaded = this.loadedEngine(model.id, task);
    if (loaded !== undefined) return loaded;
    const { pooling } = await model.locate();
    const engineArgs = this.argsOf(model);
    const chosen = chooseTask({ modelId: model.id, task, pooling, engineArgs });
    return this.#get(model.id, chosen) ?? this.#add(model, chosen);
  }

  /** The llama-server arguments of a model, without those of a task. The operator's win. */
  argsOf(model: ServedModel): string[] {
    return joinArguments(this.asLoaded(model).args, this.#options.engineArgs);
  }

  /** A model with the settings that a load has set for it. */
  asLoaded(model: ServedModel): ServedModel {
    return this.#loadSettings.applyTo(model);
  }

  /** The settings that a load has set for a model; undefined: none has. */
  loadSettingsOf(modelId: string): RunSettings | undefined {
    return this.#loadSettings.of(modelId);
  }

  /** An engine of a model that is loaded: for this task, or for any. */
  loadedEngine(modelId: string, task?: EngineTask): SupervisedEngine | undefined {
    for (const one of task === undefined ? ENGINE_TASKS : [task]) {
      const engine = this.#get(modelId, one);
      if (engine?.loadedEngine !== undefined) return engine;
    }
    return undefined;
  }

  /** The engines of a model, loaded or not; the one that generates comes first. */
  engines(modelId: string): SupervisedEngine[] {
    return ENGINE_TASKS.flatMap((task) => this.#get(modelId, task) ?? []);
  }

  /**
   * Ends the engines of a model that is now another one. They get no more requests; those that they
   * have are finished. If the model is gone, they may take `drainMs` for that.
   */
  async retire(modelId: string, { isGone = false } = {}): Promise<void> {
    const { drainMs, graceMs } = this.#options;
    const engines = this.engines(modelId);
    for (const task of ENGINE_TASKS) this.#engines.delete(keyOf(modelId, task));
    if (isGone) this.#loadSettings.delete(modelId);
    const end = async (engine: SupervisedEngine) => {
      this.#retiring.add(engine);
      await engine.drained(isGone ? drainMs : undefined);
      const why = "The model was removed or replaced: ask again.";
      await engine.close({ keepMs: 0, graceMs }, why);
      this.#retiring.delete(engine);
    };
    await Promise.all(engines.map(end));
  }

  /** The memory that is counted for a model's engines. */
  memoryOf(modelId: string): Memory {
    return sumOf(this.engines(modelId).map(({ room }) => room.memory ?? {}));
  }

  /**
   * Loads a model, and sets how long it stays after its last request from now on, in ms; undefined:
   * as before. If it is loaded with other `settings`, its engines are retired and a new one is
   * loaded; they hold until it is unloaded. Throws as a request for it would: then the settings are
   * those of before.
   */
  async load(model: ServedModel, { keepAliveMs, settings }: LoadOptions = {}): Promise<void> {
    const change = settings && (await this.#loadSettings.set(model, settings));
    if (change?.isOther) void this.retire(model.id);
    try {
      const engine = await this.engineFor(model, undefined);
      engine.stay();
      await engine.warm();
      if (keepAliveMs !== undefined) engine.keepAlive(keepAliveMs);
    } catch (error) {
      if (change?.takeBack()) void this.retire(model.id);
      throw error;
    }
  }

  /** Makes a model stay loaded, or takes that back. Throws if that cannot be kept on disk. */
  pin(model: ServedModel, isPinned: boolean): void {
    this.#pins.set(this.asLoaded(model), isPinned);
    if (isPinned) return;
    for (const engine of this.engines(model.id)) engine.unpinned();
    this.room.becameIdle();
  }

  /**
   * Ends the engines of a model to free their memory: those that nobody uses now, the others after
   * their last request. The next load is as the model is set up.
   */
  async unload(modelId: string): Promise<void> {
    const engines = this.engines(modelId);
    if (!this.#loadSettings.delete(modelId)) return this.#unload(engines);
    const isBusy = engines.some((engine) => engine.isBusy);
    const retired = this.retire(modelId);
    if (!isBusy) await retired;
  }

  /** The same for all models. */
  unloadAll(): Promise<void> {
    return this.#unload([...this.#engines.values()]);
  }

  async #unload(engines: SupervisedEngine[]): Promise<void> {
    const idle: SupervisedEngine[] = [];
    for (const engine of engines) {
      if (engine.isBusy) engine.leave();
      else if (engine.loadedEngine !== undefined) idle.push(engine);
    }
    await Promise.all(idle.map((engine) => engine.unload()));
  }

  /**
   * Ends all engines at once: lets them write their prompts, asks them to end, and kills them after
   * `graceMs`.
   */
  async close(graceMs: number): Promise<void> {
    const all = [...this.#engines.values(), ...this.#retiring];
    await Promise.all(all.map((engine) => engine.close({ keepMs: KEEP_MS_MAX, graceMs })));
  }

  /** How the engines of a model start that use the devices of workers; undefined: of none. */
  #workersOf({ workers: names = [] }: ServedModel) {
    const { workers, launch } = this.#options;
    if (workers === undefined || names.length === 0) return undefined;
    return {
      launch: workers.launchOver(names, launch),
      lent: (modelPath: string, signal: AbortSignal) => workers.lent(names, { modelPath, signal }),
    };
  }

  #get(modelId: string, task: EngineTask): SupervisedEngine | undefined {
    return this.#engines.get(keyOf(modelId, task));
  }

  #add(given: ServedModel, task: EngineTask): SupervisedEngine {
    // It may have become another one since the request came.
    const model = this.asLoaded(this.#options.current(given));
    const { launch, home, engineArgs, loadTimeoutMs, log, keepAliveMs, promptDisk } = this.#options;
    const { nowMs = Date.now } = this.#options;
    // One that is retired may still run beside the next one for the same.
    this.#made += 1;
    const key = `${keyOf(model.id, task)} ${this.#made}`;
    const givenArgs = this.argsOf(model);
    const ownArgs = ({ pooling }: ModelFiles) => {
      const forTask = taskArgs(task, pooling, givenArgs);
      // The settings of a chat model are for its chats, not for its second engine that embeds.
      const isSecond = pooling === undefined;
      const [first, second] = isSecond ? [model.args, forTask] : [forTask, model.args];
      return joinArguments(joinArguments(first, second), engineArgs);
    };
    const { fit, isAlone } = this.#options;
    const over = this.#workersOf(model);
    const room = new EngineRoom(this.room, {
      ...{ key, args: ownArgs, waitMs: loadTimeoutMs, log, isAlone, lent: over?.lent },
      fit: model.fit ?? fit ?? undefined,
    });
    const engine = new SupervisedEngine({
      modelId: model.id,
      label: model.id + LABELS[task],
      args: (files) => {
        const own = room.args(files);
        return [...this.#promptCaches.argsFor(key, own), ...own];
      },
      // What memory decides of the arguments changes nothing of what is computed.
      prompts:
        task === "generate" && promptDisk
          ? new EnginePrompts(promptDisk, { model: model.id, args: ownArgs })
          : undefined,
      room,
      isPinned: () => this.#pins.isPinned(model),
      keepAliveMs: model.keepAliveMs ?? keepAliveMs ?? Number.POSITIVE_INFINITY,
      onChange: () => this.#options.onChange?.(),
      onEvent: (event) => this.#options.onEvent?.(model.id, event),
      onIdle: () => this.room.becameIdle(),
      onEnd: () => this.#promptCaches.release(key),
      locate: async () => {
        const { mmproj, ...files } = await model.locate();
        // Only generation reads images and sound; elsewhere the projector would waste memory.
        return mmproj === undefined || task !== "generate" ? files : { ...files, mmproj };
      },
      launch: over?.launch ?? launch,
      home,
      loadTimeoutMs,
      log,
      nowMs,
    });
    this.#engines.set(keyOf(model.id, task), engine);
    return engine;
  }
}

function hostBytesLeft(): number {
  return readHostMemory()?.available ?? freemem();
}

function keyOf(modelId: string, task: EngineTask): string {
  return `${task} ${modelId}`;
}
