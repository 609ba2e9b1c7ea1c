import { rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import type { ForwardTarget } from "../http/proxy/forward.ts";
import type { Logger } from "../lib/log.ts";
import { EngineProcess } from "./child.ts";
import { libraryDirectories } from "./library.ts";
import { newSocket } from "./socket.ts";

/** Why a model could not be loaded. */
export type LoadFailure =
  | "not_found"
  | "not_gguf"
  | "corrupt"
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

  /** The failure to load a file. Clients may read the message, so it names the file only. */
  static of(reason: LoadFailure, path: string, why: string, cause?: unknown): EngineLoadError {
    const name = basename(path);
    const told = why.replaceAll(path, name);
    return new EngineLoadError(reason, `Loading ${name} failed: ${told}`, cause);
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
export async function launchEngine(options: EngineOptions): Promise<Engine> {
  checkArguments(options);
  await checkFile(options.modelPath);
  if (options.mmprojPath !== undefined) await checkFile(options.mmprojPath);
  const directories = await libraryDirectories(options.home);
  const socket = await newSocket(options.home);
  const process = new EngineProcess(options);
  process.send({
    type: "load",
    directories,
    args: engineArguments(options),
    socket,
    logLevel: options.log.isLevelEnabled("debug") ? 1 : 3,
  });
  try {
    const { address, info } = await process.loaded();
    return process.engine(address, info);
  } catch (error) {
    process.child.kill("SIGKILL");
    throw error;
  } finally {
    process.child.exited.then(() => rmSync(socket, { force: true }));
  }
}

/** llama-server's arguments for a model: ours first, so that the user's own win. */
function engineArguments({ modelId, modelPath, mmprojPath, args, log }: EngineOptions): string[] {
  const verbosity = log.isLevelEnabled("trace") ? "5" : log.isLevelEnabled("debug") ? "3" : "2";
  return [
    ...["--model", modelPath, "--alias", modelId],
    ...(mmprojPath === undefined ? [] : ["--mmproj", mmprojPath]),
    ...["--metrics", "--log-verbosity", verbosity, "--offline"],
    ...args,
  ];
}

/** Arguments with which llama-server prints something and ends. */
const PRINTING = new Set(
  "-h --help --usage --version --license -cl --cache-list --list-devices --completion-bash".split(
    " ",
  ),
);

function checkArguments({ modelPath, args }: EngineOptions): void {
  const printing = args.find((arg) => PRINTING.has(arg));
  if (printing === undefined) return;
  const why = `${printing} makes an engine print and end; leave it out.`;
  throw EngineLoadError.of("bad_arguments", modelPath, why);
}

/** Rejects, before a process is started for it, what cannot be a model. */
async function checkFile(path: string): Promise<void> {
  const file = await open(path).catch((cause: unknown) => {
    throw EngineLoadError.of("not_found", path, "it cannot be read.", cause);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead === 4 && buffer.toString("latin1") === "GGUF") return;
  } finally {
    await file.close();
  }
  throw EngineLoadError.of("not_gguf", path, "it is not a GGUF file.");
}
