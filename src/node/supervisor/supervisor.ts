import type { Logger } from "../../lib/log.ts";
import type { ServedModel } from "../models/catalog.ts";
import { choosePurpose, type Purpose, purposeArgs } from "./purpose.ts";
import { type Launch, Runner } from "./runner.ts";

export interface SupervisorOptions {
  launch: Launch;
  /** The data folder. */
  home: string;
  /** The operator's llama-server arguments for every engine. */
  engineArgs: string[];
  /** Longest wait for a model to load. */
  loadTimeoutMs: number;
  log: Logger;
  /** Default: the system's clock. */
  nowMs?(): number;
}

const PURPOSES: readonly Purpose[] = ["generate", "embed", "rerank"];

const LABELS: Record<Purpose, string> = {
  generate: "",
  embed: " (embeddings)",
  rerank: " (rerank)",
};

/** All engines of a node: one for each model and purpose that was asked for. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #runners = new Map<string, Runner>();
  readonly #retiring = new Set<Runner>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * The engine for a request; `need` undefined takes any engine of the model, a loaded one first.
   * Throws 400 `model_capability_mismatch` if the model is not made for it.
   */
  async runner(model: ServedModel, need: Purpose | undefined): Promise<Runner> {
    const loaded = this.loaded(model.id, need);
    if (loaded !== undefined) return loaded;
    const { engineArgs } = this.#options;
    const { pooling } = await model.locate();
    const purpose = choosePurpose({ modelId: model.id, need, pooling, engineArgs });
    return this.#get(model.id, purpose) ?? this.#add(model, purpose);
  }

  /** An engine of a model that is loaded already. */
  loaded(modelId: string, need?: Purpose): Runner | undefined {
    const wanted = need === undefined ? PURPOSES : [need];
    return wanted
      .map((purpose) => this.#get(modelId, purpose))
      .find((runner) => runner?.engine !== undefined);
  }

  /** Every engine of a model that was ever asked for, the one that generates first. */
  runners(modelId: string): Runner[] {
    return PURPOSES.map((purpose) => this.#get(modelId, purpose)).filter((runner) => !!runner);
  }

  /**
   * Ends the engines of a model that is no longer served so: none gets further requests, and those
   * that run may end within `waitMs`.
   */
  async retire(modelId: string, { waitMs, graceMs }: { waitMs: number; graceMs: number }) {
    const retired = this.runners(modelId);
    for (const purpose of PURPOSES) this.#runners.delete(keyOf(modelId, purpose));
    const end = async (runner: Runner) => {
      this.#retiring.add(runner);
      await runner.idle(waitMs);
      await runner.close(graceMs, "The model was removed or replaced: ask again.");
      this.#retiring.delete(runner);
    };
    await Promise.all(retired.map(end));
  }

  /** Ends all engines at once: asks first, kills after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const all = [...this.#runners.values(), ...this.#retiring];
    await Promise.all(all.map((runner) => runner.close(graceMs)));
  }

  #get(modelId: string, purpose: Purpose): Runner | undefined {
    return this.#runners.get(keyOf(modelId, purpose));
  }

  #add(model: ServedModel, purpose: Purpose): Runner {
    const { launch, home, engineArgs, loadTimeoutMs, log, nowMs = Date.now } = this.#options;
    const runner = new Runner({
      modelId: model.id,
      label: model.id + LABELS[purpose],
      args: ({ pooling }) => [
        ...model.args,
        ...purposeArgs(purpose, pooling, engineArgs),
        ...engineArgs,
      ],
      locate: async () => {
        const { mmproj, ...files } = await model.locate();
        // Only generation looks at images; the projector would take memory for nothing.
        return mmproj === undefined || purpose !== "generate" ? files : { ...files, mmproj };
      },
      launch,
      home,
      loadTimeoutMs,
      log,
      nowMs,
    });
    this.#runners.set(keyOf(model.id, purpose), runner);
    return runner;
  }
}

function keyOf(modelId: string, purpose: Purpose): string {
  return `${purpose} ${modelId}`;
}
