import { StorageError } from "./error.ts";
import type { WorkerRequest, WorkerResponse } from "./worker.ts";

export interface ThreadOptions {
  /** The database file; it must exist. */
  path: string;
  /** How long a statement waits for another process's lock. */
  busyMs: number;
  /** Refuses everything that would change the file. Default: false. */
  readOnly?: boolean;
}

/** What a statement gave. */
export type WorkerResult = Extract<WorkerResponse, { ok: true }>;

/** Bun's, which may or may not keep the process alive. */
type Worker = globalThis.Worker & { ref(): void; unref(): void };

interface Pending {
  resolve(result: WorkerResult): void;
  reject(error: Error): void;
}

/**
 * A database connection in a thread of its own: a slow disk, a lock or a long query never holds
 * up the requests that this process serves. The thread starts with the first order, again after
 * it died, and does not keep the process alive while it has nothing to do.
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

  /** Carries out one order. Throws `StorageError`. */
  async perform(order: WorkerRequest): Promise<WorkerResult> {
    if (this.#closed) throw new StorageError("CLOSED", "The database is closed.");
    this.#worker ??= this.#start();
    return this.#send(await this.#worker, order);
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
      const worker = new globalThis.Worker(await workerAddress()) as Worker;
      worker.onmessage = ({ data }) => this.#settle(worker, data);
      worker.onerror = ({ message }) => this.#end(message);
      worker.addEventListener("close", () => this.#end("its thread ended"));
      const { path, busyMs, readOnly = false } = this.#options;
      await this.#send(worker, { kind: "open", path, busyMs, readOnly });
      return worker;
    } catch (error) {
      this.#worker = undefined;
      throw error;
    }
  }

  #send(worker: Worker, order: WorkerRequest): Promise<WorkerResult> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<WorkerResult>();
    this.#pending.set(id, { resolve, reject });
    if (this.#pending.size === 1) worker.ref();
    worker.postMessage({ id, ...order });
    return promise;
  }

  #settle(worker: Worker, outcome: WorkerResponse & { id: number }): void {
    const pending = this.#pending.get(outcome.id);
    this.#pending.delete(outcome.id);
    if (this.#pending.size === 0) worker.unref();
    if (outcome.ok) pending?.resolve(outcome);
    else pending?.reject(new StorageError(outcome.code, outcome.message));
  }

  #end(reason: string): void {
    this.#worker = undefined;
    const error = new StorageError("THREAD_ENDED", `The database stopped: ${reason}.`);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

let address: Promise<string> | undefined;

/** Bundlers carry the text along wherever this module goes; a path they would not. */
function workerAddress(): Promise<string> {
  address ??= import("./worker.ts", { with: { type: "text" } }).then((module) => {
    const text = (module as unknown as { default: string }).default;
    return URL.createObjectURL(new Blob([text], { type: "application/typescript" }));
  });
  return address;
}
