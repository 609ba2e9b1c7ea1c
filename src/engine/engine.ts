import type { ForwardTarget } from "../http/proxy/forward.ts";
import type { Logger } from "../lib/log.ts";
import type { PromptFileEvent } from "./messages.ts";

export interface EngineOptions {
  /** The name that the engine reports as its model. */
  modelId: string;
  /** Absolute path of the GGUF file. */
  modelPath: string;
  /** Absolute path of the multimodal projector. */
  mmprojPath?: string;
  /** Further llama-server arguments. */
  args: string[];
  /** The data folder: sockets in `run/`, libraries in `native/`. */
  home: string;
  /** Longest wait for the model to load. */
  loadTimeoutMs: number;
  log: Logger;
  /** Called while loading, with a fraction from 0 to 1. */
  onProgress?(fraction: number): void;
  /** Called when the engine has read a prompt's file, or could not. */
  onPromptFile?(event: PromptFileEvent): void;
  /** Aborts the loading. */
  signal?: AbortSignal;
}

/** Properties of a loaded model and its engine. */
export interface EngineInfo {
  /** How many requests it decodes at the same time. */
  slots: number;
  /** Tokens of context in each slot. */
  contextTokens: number;
  parameters: number;
  sizeBytes: number;
  vision: boolean;
  audio: boolean;
  /** The engine was started with `--embeddings`. */
  embeddings: boolean;
  /**
   * Bytes of ggml's buffers by device, or `host`: weights, cache, computing. An image projector and
   * a draft model are not among them. Undefined where the library does not tell it.
   */
  memoryBytes?: Readonly<Record<string, number>>;
}

/** How an engine's process ended. */
export interface EngineExit {
  expected: boolean;
  /** Why, with the last lines that it printed. */
  message: string;
  /** The worker that was lost, without whose devices it could not go on. */
  lostWorker?: string;
}

/** A loaded model in a process of its own. */
export interface Engine {
  readonly pid: number;
  readonly info: EngineInfo;
  /** Where to send a request for `pathAndQuery`, e.g. `/v1/chat/completions`. */
  target(pathAndQuery: string): ForwardTarget;
  /** Resolves when the process is gone. */
  readonly exited: Promise<EngineExit>;
  /** Asks the process to end and kills it after `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}
