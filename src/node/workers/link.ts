import { rmSync } from "node:fs";
import { newSocket } from "../../engine/socket.ts";
import { openWebSocket } from "../../http/client/websocket.ts";
import type { MessageSink, MessageSocket } from "../../http/messagesocket.ts";
import { withDeadline } from "../../lib/deadline.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { parseJson } from "../../lib/json.ts";
import { LENDING_PATH, TunnelGreeting } from "../../wire/lending.ts";
import { CHANNEL_HANDLERS, type Channel } from "./channel.ts";
import type { Worker } from "./directory.ts";
import { WorkerError, workerFailure } from "./error.ts";
import { workerHeaders } from "./offer.ts";
import { Tunnel } from "./tunnel.ts";

export interface LinkOptions {
  worker: Worker;
  /** The name of this node, and the model that the devices are for. */
  head: string;
  model: string;
  /** The data folder. */
  home: string;
  /** Called once if the tunnel breaks by itself after it was opened. */
  onLost(error: WorkerError): void;
}

const CONNECT_MS_MAX = 15_000;
/** Longest wait for the worker's process. A GPU driver may take seconds to wake up. */
const GREETING_MS_MAX = 40_000;

/**
 * A worker's devices, as they are reached on this host: a Unix socket for one engine, which leads
 * through a tunnel to a process of the worker. Whoever may not read the data folder cannot use it.
 */
export class WorkerLink implements MessageSink {
  readonly #options: LinkOptions;
  readonly #greeting = Promise.withResolvers<TunnelGreeting>();
  /** Path of the Unix socket, which speaks ggml's RPC protocol. */
  readonly socketPath: string;
  #socket: MessageSocket | undefined;
  #tunnel: Tunnel | undefined;
  #listener: { stop(force: boolean): void } | undefined;
  #isClosed = false;

  private constructor(options: LinkOptions, socketPath: string) {
    this.#options = options;
    this.socketPath = socketPath;
    this.#greeting.promise.catch(() => undefined);
  }

  /** Throws `WorkerError` if the worker is not there, or lends nothing. */
  static async open(options: LinkOptions): Promise<WorkerLink> {
    const link = new WorkerLink(options, await newSocket(options.home));
    try {
      await link.#connect();
      link.#listen();
      return link;
    } catch (cause) {
      link.close();
      throw workerFailure(options.worker.name, cause);
    }
  }

  /** Closes it, which ends the worker's process and frees its memory. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#listener?.stop(true);
    this.#tunnel?.close();
    this.#socket?.close("the engine has ended");
    rmSync(this.socketPath, { force: true });
  }

  onOpen(socket: MessageSocket): void {
    this.#socket = socket;
    this.#tunnel = new Tunnel({ socket });
  }

  onMessage(message: Buffer | string): void {
    if (typeof message === "string") this.#greet(message);
    else this.#receive(message);
  }

  #greet(message: string): void {
    const greeting = TunnelGreeting.safeParse(parseJson(message));
    if (greeting.success) this.#greeting.resolve(greeting.data);
    else this.#lose("it speaks another language");
  }

  onClose(reason: string): void {
    this.#lose(reason);
  }

  async #connect(): Promise<void> {
    const { worker, head, model } = this.#options;
    const { url, fingerprint, proxy, name } = worker;
    const query = new URLSearchParams({ head, model });
    const headers = workerHeaders(worker);
    const address = { url: `${url}${LENDING_PATH}?${query}`, fingerprint, proxy };
    await openWebSocket({ ...address, headers, timeoutMs: CONNECT_MS_MAX, sink: this });
    const wait = { timeoutMs: GREETING_MS_MAX };
    const greeting = await withDeadline(this.#greeting.promise, wait);
    if (typeof greeting === "string") {
      throw new WorkerError("unreachable", name, "its devices are not ready in time");
    }
    if (greeting.type === "failed") {
      throw new WorkerError("unreachable", name, greeting.message.replace(/\.$/, ""));
    }
  }

  #listen(): void {
    this.#listener = Bun.listen<Channel>({
      unix: this.socketPath,
      socket: {
        ...CHANNEL_HANDLERS,
        open: (socket) => {
          const channel = this.#tunnel?.open();
          if (channel === undefined) return void socket.terminate();
          socket.data = channel;
          channel.attach(socket);
        },
      },
    });
  }

  #receive(message: Buffer): void {
    try {
      this.#tunnel?.receive(message);
    } catch (error) {
      this.#lose(errorMessage(error));
    }
  }

  #lose(reason: string): void {
    const { worker, onLost } = this.#options;
    const error = new WorkerError("unreachable", worker.name, reason);
    this.#greeting.reject(error);
    const isInUse = this.#listener !== undefined && !this.#isClosed;
    this.close();
    if (isInUse) onLost(error);
  }
}
