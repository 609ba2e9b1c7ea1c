import type { ForwardTarget } from "../http/forward.ts";
import type { Logger } from "../lib/log.ts";
import type { Device } from "../wire/system.ts";

/** Why a model could not be loaded. */
export type LoadFailure =
  | "not_found"
  | "not_gguf"
  | "unknown_architecture"
  | "out_of_memory"
  | "bad_arguments"
  | "crashed"
  | "timeout"
  | "cancelled"
  | "failed";

/** A model could not be loaded; `reason` is machine-readable, the message is for people. */
export class EngineLoadError extends Error {
  readonly reason: LoadFailure;
  constructor(reason: LoadFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "EngineLoadError";
    this.reason = reason;
  }
}

export interface EngineOptions {
  /** Name the engine reports as its model. */
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
  /** Aborts the loading. */
  signal?: AbortSignal;
}

/** What an engine tells of itself once its model is loaded. */
export interface EngineInfo {
  /** Decoding lanes. */
  slots: number;
  /** Tokens of context in each slot. */
  contextTokens: number;
  parameters: number;
  sizeBytes: number;
  vision: boolean;
  audio: boolean;
  /** Embeddings mode was asked for (`--embeddings`). */
  embeddings: boolean;
}

/** A loaded model in a process of its own. */
export interface Engine {
  readonly pid: number;
  readonly info: EngineInfo;
  /** Where to send a request for `pathAndQuery`, e.g. `/v1/chat/completions`. */
  target(pathAndQuery: string): ForwardTarget;
  /** Settles when the process is gone, with a text for people and the last lines it printed. */
  readonly exited: Promise<{ expected: boolean; message: string }>;
  /** Ends the process: asks first, kills after `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

/** Starts an engine process and waits until its model is loaded. Throws `EngineLoadError`. */
export async function launchEngine(_options: EngineOptions): Promise<Engine> {
  throw new EngineLoadError("failed", "under construction");
}

/** The compute devices of this host, read by a short-lived process so that a bad driver cannot hurt. */
export async function probeDevices(_options: { home: string; log: Logger }): Promise<Device[]> {
  return [];
}
