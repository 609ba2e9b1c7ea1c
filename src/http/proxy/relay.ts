import type { AnswerBody } from "../client/body.ts";
import type { Deadlines } from "./deadlines.ts";
import type { StreamRewrite } from "./rewrite/rewrite.ts";

/** How the sending of a body ended. */
export type SendOutcome = "complete" | "failed" | "cancelled";

/** Sees bytes as they pass by; it may neither change nor keep them. */
export interface Tap {
  push(bytes: Uint8Array): void;
}

export interface RelayOptions {
  watch: Deadlines;
  /** Longest silence of the target, and longest stall of the client. */
  idleTimeoutMs: number;
  /** Sent first: what was read already. */
  head?: Uint8Array | undefined;
  tap?: Tap | undefined;
  /** Makes what is sent of what comes; the tap sees what comes. */
  rewrite?: StreamRewrite | undefined;
  /**
   * What follows when the target's stream breaks. When absent the connection is cut, which HTTP
   * clients see as an incomplete body.
   */
  afterBreak?(cause: unknown): Promise<Sequel>;
}

/** What follows a broken stream: another body, which goes on in its place, or the last bytes. */
export type Sequel = { body: AnswerBody } | { last: Uint8Array };

export interface Relayed {
  stream: ReadableStream<Uint8Array>;
  sent: Promise<SendOutcome>;
}

/** A line that grows longer than this is passed on in pieces. */
const HELD_BYTES_MAX = 256 * 1024;

const LINE_FEED = 10;

/**
 * Passes a target's body on as it comes, at the client's pace: little is read ahead, so a slow
 * client slows the target. Bytes and order stay as they are. With `afterBreak`, half a line is held
 * back until its rest arrives: what a client has got of a broken stream is then whole lines, and
 * another body can go on from there.
 */
export function relay(body: AnswerBody, options: RelayOptions): Relayed {
  const source = new RelaySource(body, options);
  const stream = new ReadableStream<Uint8Array>(source, { highWaterMark: 0 });
  return { stream, sent: source.sent };
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

/** Where the client's stream comes from: the body of one target, then perhaps of another. */
class RelaySource {
  readonly sent: Promise<SendOutcome>;
  readonly #resolve: (outcome: SendOutcome) => void;
  readonly #options: RelayOptions;
  readonly #lines: WholeLines | undefined;
  #body: AnswerBody;

  constructor(body: AnswerBody, options: RelayOptions) {
    const { promise, resolve } = Promise.withResolvers<SendOutcome>();
    this.sent = promise;
    this.#resolve = resolve;
    this.#body = body;
    this.#options = options;
    this.#lines = options.afterBreak === undefined ? undefined : new WholeLines();
  }

  start(controller: Controller): void {
    const { watch, head, tap, idleTimeoutMs } = this.#options;
    watch.wait("client", idleTimeoutMs);
    watch.onEnd = (reason) => {
      this.#body.abort(reason);
      if (reason.kind !== "client_closed") return;
      this.#end("cancelled");
      // Nobody may be pulling: a client that stopped reading is cut off.
      controller.error();
    };
    if (head === undefined) return;
    tap?.push(head);
    controller.enqueue(head);
  }

  async pull(controller: Controller): Promise<void> {
    const { watch, tap, rewrite } = this.#options;
    const lines = this.#lines;
    try {
      for (;;) {
        watch.touch("rest");
        const read = this.#body.read();
        const bytes = read instanceof Promise ? await read : read;
        if (bytes !== undefined) tap?.push(bytes);
        const whole = bytes === undefined || lines === undefined ? bytes : lines.take(bytes);
        const piece = whole === undefined || rewrite === undefined ? whole : rewrite.push(whole);
        if (piece !== undefined) {
          watch.touch("client");
          controller.enqueue(piece);
          return;
        }
        if (bytes !== undefined) continue;
        for (const last of this.#ending()) controller.enqueue(last);
        this.#end("complete");
        controller.close();
        return;
      }
    } catch (cause) {
      await this.#broken(controller, cause);
    }
  }

  cancel(): void {
    this.#options.watch.cancel();
  }

  async #broken(controller: Controller, cause: unknown): Promise<void> {
    const { watch, afterBreak } = this.#options;
    if (watch.reason?.kind === "client_closed") return;
    const sequel = await afterBreak?.(cause);
    if (sequel !== undefined && "body" in sequel) {
      // What was held back of a line is said again.
      this.#lines?.rest();
      this.#body = sequel.body;
      return this.pull(controller);
    }
    this.#end("failed");
    // Without an argument, because Bun prints what it is given.
    if (sequel === undefined) return void controller.error();
    controller.enqueue(sequel.last);
    controller.close();
  }

  /** What is sent when the target's stream has ended. */
  #ending(): Uint8Array[] {
    const { rewrite } = this.#options;
    const rest = this.#lines?.rest();
    const made = rest === undefined || rewrite === undefined ? rest : rewrite.push(rest);
    return [made, rewrite?.end()].filter((piece) => piece !== undefined);
  }

  #end(outcome: SendOutcome): void {
    this.#options.watch.end();
    this.#resolve(outcome);
  }
}

/** Cuts a stream of bytes at line ends only. */
class WholeLines {
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  /** The bytes that may be sent now. */
  take(piece: Uint8Array): Uint8Array | undefined {
    const complete = piece.at(-1) === LINE_FEED;
    if (complete && this.#heldBytes === 0) return piece;
    const cut = complete ? piece.byteLength : piece.lastIndexOf(LINE_FEED) + 1;
    const fits = this.#heldBytes + piece.byteLength - cut <= HELD_BYTES_MAX;
    if (!fits) {
      this.#hold(piece);
      return this.rest();
    }
    if (cut > 0) this.#hold(piece.subarray(0, cut));
    const whole = cut > 0 ? this.rest() : undefined;
    if (cut < piece.byteLength) this.#hold(piece.subarray(cut));
    return whole;
  }

  /** All that is held back. */
  rest(): Uint8Array | undefined {
    const held = this.#held;
    if (held.length === 0) return undefined;
    this.#held = [];
    this.#heldBytes = 0;
    return held.length === 1 ? held[0] : Buffer.concat(held);
  }

  #hold(piece: Uint8Array): void {
    this.#held.push(piece);
    this.#heldBytes += piece.byteLength;
  }
}
