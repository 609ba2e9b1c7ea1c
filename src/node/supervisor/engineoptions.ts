import type { Engine, EngineOptions } from "../../engine/engine.ts";
import type { Logger } from "../../lib/log.ts";
import type { ModelFiles } from "../models/modelfiles.ts";
import type { EnginePrompts } from "../prompts/engineprompts.ts";
import type { LifecycleEvent } from "./lifecycle.ts";
import type { EngineRoom } from "./room/engineroom.ts";

/** Starts an engine; `launchEngine`, or a fake in tests. */
export type Launch = (options: EngineOptions) => Promise<Engine>;

export interface SupervisedEngineOptions {
  modelId: string;
  /** The engine's name in errors and logs, e.g. `llmlb-tiny` or `llmlb-tiny (embeddings)`. */
  label: string;
  /** The llama-server arguments to start the engine with. */
  args(files: ModelFiles): string[];
  /** Its part of the node's memory. */
  room: Pick<EngineRoom, keyof EngineRoom>;
  /** Keeps its prompts when it ends, for its next load. Default: nothing does. */
  prompts?: EnginePrompts | undefined;
  /** Called when the engine's process has ended, or could not load its model. */
  onEnd?(): void;
  /** Called when it was loaded, could not be loaded, ended, or crashed. */
  onEvent?(event: EngineEventName): void;
  /** Called when its state has become another one: it loads, is loaded, has failed or ended. */
  onChange?(): void;
  /** Called when the last request that used it has ended. */
  onIdle?(): void;
  /** Whether it stays loaded, whoever else wants its memory. */
  isPinned(): boolean;
  /** How long it stays loaded after its last request, in ms; `Infinity`: until room is needed. */
  keepAliveMs: number;
  /** The model's files as they are now. */
  locate(): Promise<ModelFiles>;
  launch: Launch;
  home: string;
  loadTimeoutMs: number;
  log: Logger;
  nowMs(): number;
}

/** What is counted of an engine. */
export type EngineEventName = Exclude<LifecycleEvent["type"], "progress">;

/** How an engine is started with these files. */
export function launchOptions(
  { modelId, args, home, loadTimeoutMs, log, prompts }: SupervisedEngineOptions,
  files: ModelFiles,
): EngineOptions {
  return {
    modelId,
    modelPath: files.path,
    ...(files.mmproj === undefined ? {} : { mmprojPath: files.mmproj }),
    args: args(files),
    ...{ home, loadTimeoutMs, log },
    onPromptFile: (event) => prompts?.happened(event),
  };
}
