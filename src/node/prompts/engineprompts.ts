import { environment } from "../../config/environment.ts";
import type { Engine } from "../../engine/engine.ts";
import type { PromptFileEvent } from "../../engine/messages.ts";
import type { ModelFiles } from "../models/modelfiles.ts";
import { promptFingerprint } from "./fingerprint.ts";
import type { PromptDisk, SaveOutcome } from "./promptdisk.ts";
import type { PromptOwner } from "./store.ts";

/** The prompts of one engine, over all its loads. No method throws. */
export class EnginePrompts {
  readonly #disk: PromptDisk;
  readonly #model: string;
  readonly #args: (files: ModelFiles) => string[];
  /** Of the engine that is loaded. */
  #owner: PromptOwner | undefined;

  /** `args`: the engine's llama-server arguments, as for `promptFingerprint`. */
  constructor(
    disk: PromptDisk,
    { model, args }: { model: string; args(files: ModelFiles): string[] },
  ) {
    this.#disk = disk;
    this.#model = model;
    this.#args = args;
  }

  /** The engine was loaded from these files: tells it what it may read. */
  async offer(engine: Engine, files: ModelFiles): Promise<void> {
    const args = this.#args(files);
    const fingerprint = await promptFingerprint({ ...files, args, env: environment() });
    this.#owner = { model: this.#model, fingerprint };
    await this.#disk.offer(engine, this.#owner);
  }

  /** The engine is about to end: writes its prompts for at most `withinMs`. */
  async save(engine: Engine, withinMs: number): Promise<SaveOutcome> {
    return this.#owner === undefined ? "done" : this.#disk.save(engine, this.#owner, withinMs);
  }

  happened(event: PromptFileEvent): void {
    void this.#disk.happened(this.#model, event);
  }
}
