import { canOpenFiles } from "../../lib/filedescriptors.ts";
import { StorageError } from "./error.ts";
import { sqliteError } from "./sqliteerror.ts";
import type { WorkerRequest, WorkerResponse } from "./worker.ts";

interface ThreadOptions {
  /** The database file; it must exist. */
  path: string;
  /** How long a statement waits for another process's lock, in ms. */
  busyMs: number;
  /** Every statement that would change the file fails. Default: false. */
  readOnly?: boolean;
  /** Each transaction waits for the disk. Default: false. */
  durable?: boolean;
}

/** What a thread and a database opened in it take, with room for what others open meanwhile. */
const FILES = 16;

/** What the worker answers when it has done what it was asked to. */
type WorkerResult = Extract<WorkerResponse, { ok: true }>;

/** Bun's worker, which can be told not to keep the process alive. */
type Worker = globalThis.Worker & { ref(): void; unref(): void };

interface Pending {
  resolve(result: WorkerResult): void;
  reject(error: Error): void;
}

/**
 * A database connection in a thread of its own: a slow disk, a lock or a long query never delays
 * the requests that this process serves. The thread starts with the first request to it, and again
 * with the next one after it died. An idle thread does not keep the process alive.
 */
export class Thread {
  readonly #options: ThreadOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Promise<Worker> | undefined;
  #lastId = 0;
  #closed = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Lets the thread do one thing. Throws `StorageError`. */
  async perform(request: WorkerRequest): Promise<WorkerResult> {
    if (this.#closed) throw closedError();
    this.#worker ??= this.#start();
    return this.#send(await this.#worker, request);
  }

  /** Closes the connection and ends the thread. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const worker = await this.#worker?.catch(() => undefined);
    if (worker === undefined) return;
    try {
      await this.#send(worker, { kind: "close" });
    } finally {
      worker.terminate();
    }
  }

  async #start(): Promise<Worker> {
    try {
      if (!canOpenFiles(FILES)) throw noFilesError(this.#options.path);
      const worker = new globalThis.Worker(await workerAddress()) as Worker;
      worker.onmessage = ({ data }) => this.#settle(worker, data);
      worker.onerror = ({ message }) => this.#end(message);
      worker.addEventListener("close", () => this.#end("its thread ended"));
      const { path, busyMs, readOnly = false, durable = false } = this.#options;
      await this.#send(worker, { kind: "open", path, busyMs, readOnly, durable });
      return worker;
    } catch (error) {
      this.#worker = undefined;
      throw error;
    }
  }

  #send(worker: Worker, request: WorkerRequest): Promise<WorkerResult> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<WorkerResult>();
    this.#pending.set(id, { resolve, reject });
    if (this.#pending.size === 1) worker.ref();
    worker.postMessage({ id, ...request });
    return promise;
  }

  #settle(worker: Worker, response: WorkerResponse & { id: number }): void {
    const pending = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    if (this.#pending.size === 0) worker.unref();
    if (response.ok) pending?.resolve(response);
    else pending?.reject(sqliteError(response.code, response.message, this.#options.path));
  }

  #end(reason: string): void {
    this.#worker = undefined;
    const message = `The database stopped: ${reason}.`;
    const error = new StorageError("failed", message, { databaseCode: "THREAD_ENDED" });
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function closedError(): StorageError {
  return new StorageError("closed", "The database is closed.", { databaseCode: "CLOSED" });
}

/** Bun ends the process when a thread finds none. */
function noFilesError(path: string): StorageError {
  const message = `Using ${path} failed: this process may open no more files and connections. \
Raise their limit (ulimit -n).`;
  return new StorageError("failed", message, { databaseCode: "EMFILE" });
}

let address: Promise<string> | undefined;

function workerAddress(): Promise<string> {
  address ??= workerScript().then((text) => {
    return URL.createObjectURL(new Blob([text], { type: "application/javascript" }));
  });
  return address;
}

/**
 * The worker's text without what a thread has no need of: where it is longer than 4 KiB, Bun keeps
 * what it makes of it in `~/.bun`, and llmlb writes to no folder but its own. A bundler keeps the
 * text together with this module; it would not keep a path.
 */
export async function workerScript(): Promise<string> {
  const module: unknown = await import("./worker.ts", { with: { type: "text" } });
  const { default: text } = module as { default: string };
  return new Bun.Transpiler({ loader: "ts", target: "bun" }).transformSync(text);
}
