import type { LendOptions, LentDevices } from "../../engine/lend.ts";
import type { MessageSink, MessageSocket } from "../../http/messagesocket.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import type { Logger } from "../../lib/log.ts";
import { privateBytesOf } from "../../lib/processmemory.ts";
import { ApiError } from "../../wire/error.ts";
import type { TunnelGreeting } from "../../wire/lending.ts";
import type { Loan } from "../../wire/system.ts";
import { CHANNEL_HANDLERS, type Channel } from "./channel.ts";
import { Tunnel } from "./tunnel.ts";

/** Starts a process that lends this host's devices; `lendDevices`, or a fake in tests. */
export type Lend = (options: LendOptions) => Promise<LentDevices>;

export interface LenderOptions extends LendOptions {
  lend: Lend;
}

/** For whom the devices are. */
export interface Borrower {
  head: string;
  model: string;
  address: string;
}

/** Engines that may use the devices at the same time; each has a process here. */
const LOANS_MAX = 16;

/** How soon it is worth to ask again when all loans are taken. */
const FULL_RETRY_S = 30;

/**
 * Lends this host's devices to engines elsewhere. Each gets a process of its own, which ends with
 * its tunnel: no memory of it stays behind, and a head that means ill reaches no other's data.
 */
export class Lender {
  readonly #options: LenderOptions;
  readonly #loans = new Set<RunningLoan>();

  constructor(options: LenderOptions) {
    this.#options = options;
  }

  /** To whom devices are lent now, and to how many they can be. */
  state(): { loans: Loan[]; loans_max: number } {
    return { loans: [...this.#loans].map((loan) => loan.view()), loans_max: LOANS_MAX };
  }

  /** A loan whose tunnel is about to open. Throws 503 `loans_full`. */
  lendTo(borrower: Borrower): RunningLoan {
    if (this.#loans.size >= LOANS_MAX) {
      const message = `The devices of this node cannot be lent: ${LOANS_MAX} engines use them \
already. Unload one of their models, or ask later.`;
      throw new ApiError("unavailable", message, { code: "loans_full", retryAfterS: FULL_RETRY_S });
    }
    const loan = new RunningLoan(borrower, this.#options, () => this.#loans.delete(loan));
    this.#loans.add(loan);
    return loan;
  }

  /** Ends all loans. */
  close(): void {
    for (const loan of this.#loans) loan.end("the worker shuts down");
  }
}

/** One loan, from the acceptance of its tunnel to that one's end. */
class RunningLoan implements MessageSink {
  readonly #borrower: Borrower;
  readonly #options: LenderOptions;
  readonly #log: Logger;
  readonly #onEnd: () => void;
  readonly #sinceMs = Date.now();
  #socket: MessageSocket | undefined;
  #tunnel: Tunnel | undefined;
  #lent: LentDevices | undefined;
  #isOver = false;

  constructor(borrower: Borrower, options: LenderOptions, onEnd: () => void) {
    this.#borrower = borrower;
    this.#options = options;
    const { head, model, address } = borrower;
    this.#log = options.log.child({ component: "lending", head, model, address });
    this.#onEnd = onEnd;
  }

  view(): Loan {
    const memory = this.#lent && privateBytesOf(this.#lent.pid);
    return {
      ...this.#borrower,
      since: new Date(this.#sinceMs).toISOString(),
      ...(memory === undefined ? {} : { memory_bytes: memory }),
      transferred_bytes: this.#tunnel?.bytes ?? 0,
    };
  }

  /** Ends it and tells the head why. Idempotent. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tunnel?.close();
    this.#lent?.end();
    this.#socket?.close(reason);
    this.#onEnd();
    if (this.#socket !== undefined) this.#log.info({ reason }, "lending.ended");
  }

  onOpen(socket: MessageSocket): void {
    this.#socket = socket;
    void this.#start(socket);
  }

  onMessage(message: Buffer | string): void {
    if (this.#isOver) return;
    try {
      if (typeof message === "string") throw new Error("a text came where bytes must");
      if (this.#tunnel === undefined) throw new Error("bytes came before the devices are ready");
      this.#tunnel.receive(message);
    } catch (error) {
      this.end(errorMessage(error));
    }
  }

  onClose(reason: string): void {
    this.end(reason === "" ? "the head closed the tunnel" : reason);
  }

  async #start(socket: MessageSocket): Promise<void> {
    const greet = (greeting: TunnelGreeting) => socket.send(JSON.stringify(greeting));
    const { lend, home, log } = this.#options;
    try {
      const lent = await lend({ home, log });
      if (this.#isOver) return lent.end();
      this.#lent = lent;
      lent.exited.then((why) => this.end(why));
      this.#tunnel = new Tunnel({ socket, connect: (channel) => connect(channel, lent.socket) });
      greet({ type: "ready" });
      this.#log.info({ engine_pid: lent.pid }, "lending.started");
    } catch (error) {
      const message = errorMessage(error);
      this.#log.warn({ reason: message }, "lending.failed");
      greet({ type: "failed", message });
      this.end(message);
    }
  }
}

/** The process makes its socket shortly after it has said that it lends. */
const CONNECT_TRIES = 100;
const CONNECT_PAUSE_MS = 20;

async function connect(channel: Channel, unix: string): Promise<void> {
  for (let i = 0; i < CONNECT_TRIES; i += 1) {
    try {
      channel.attach(await Bun.connect({ unix, data: channel, socket: CHANNEL_HANDLERS }));
      return;
    } catch {
      await Bun.sleep(CONNECT_PAUSE_MS); // It does not listen yet.
    }
  }
  channel.onClose();
}
