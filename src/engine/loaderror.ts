import { basename } from "node:path";

/** Why a model could not be loaded. It is the `code` of the API error that clients get. */
export type LoadFailure =
  | "not_found"
  | "not_gguf"
  | "corrupt"
  | "unknown_architecture"
  | "out_of_memory"
  | "bad_arguments"
  /** A native library of llmlb or llama.cpp cannot be loaded here. */
  | "broken_library"
  | "crashed"
  | "timeout"
  | "cancelled"
  /** Engines that work have the memory; it may be there later. */
  | "no_room"
  /** There will never be so much memory. */
  | "too_large"
  /** A node that is to lend its devices cannot be reached. */
  | "worker_unreachable"
  /** A node does not lend its devices, or not to this one. */
  | "worker_refused"
  | "failed";

/** A model could not be loaded. `reason` is for programs, `message` is for people. */
export class EngineLoadError extends Error {
  readonly reason: LoadFailure;
  constructor(reason: LoadFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "EngineLoadError";
    this.reason = reason;
  }

  /** The failure to load a file. Clients may read its message, so that hides the file's folder. */
  static of(reason: LoadFailure, path: string, why: string, cause?: unknown): EngineLoadError {
    const name = basename(path);
    const message = `Loading ${name} failed: ${why.replaceAll(path, name)}`;
    return new EngineLoadError(reason, message, cause);
  }
}
