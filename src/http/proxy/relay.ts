import type { AnswerBody } from "../client/body.ts";
import type { Deadlines } from "./deadlines.ts";
import type { StreamRewrite } from "./rewrite/rewrite.ts";

/** How the sending of a body ended. */
export type SendOutcome = "complete" | "failed" | "cancelled";

/** Sees bytes as they pass. It must neither change nor keep them. */
export interface Tap {
  push(bytes: Uint8Array): void;
}

export interface RelayOptions {
  deadlines: Deadlines;
  /** Longest silence of the target, and longest stall of the client. */
  idleTimeoutMs: number;
  /** Tells content from signs of life, which renew no limit of it. Default: all is content. */
  hasContent?: (bytes: Uint8Array) => boolean;
  /** Bytes of the body that were read already; they are sent first. */
  head?: Uint8Array | undefined;
  tap?: Tap | undefined;
  /** Changes the bytes for the client; the tap sees them unchanged. */
  rewrite?: StreamRewrite | undefined;
  /**
   * Called when the target's stream breaks. Default: the connection is cut, which HTTP clients see
   * as an incomplete body.
   */
  afterBreak?(cause: unknown): Promise<Sequel>;
}

/** What follows a broken stream: another body that continues it, or the last bytes. */
export type Sequel = { body: AnswerBody } | { last: Uint8Array };

export interface Relayed {
  stream: ReadableStream<Uint8Array>;
  sent: Promise<SendOutcome>;
}

/** Longest line that is held back; longer ones are passed on in pieces. */
const HELD_BYTES_MAX = 256 * 1024;

const LINE_FEED = 10;

/**
 * Passes a target's body on as it comes, at the client's pace: little is read ahead, so a slow
 * client slows the target. Without `rewrite` the bytes stay as they are. With `afterBreak`, part of
 * a line is held back until its rest arrives, so that the client of a broken stream has whole lines
 * and another body can continue it.
 */
export function relay(body: AnswerBody, options: RelayOptions): Relayed {
  const source = new RelaySource(body, options);
  const stream = new ReadableStream<Uint8Array>(source, { highWaterMark: 0 });
  return { stream, sent: source.sent };
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

/** The source of the client's stream: the body of one target, after a break perhaps of another. */
class RelaySource {
  readonly sent: Promise<SendOutcome>;
  readonly #resolve: (outcome: SendOutcome) => void;
  readonly #options: RelayOptions;
  readonly #lines: WholeLines | undefined;
  #body: AnswerBody;
  /** A read that goes on while the client got a sign of life. */
  #reading: Promise<Uint8Array | undefined> | undefined;
  #hasBegun = false;
  /** The last bytes had content: the wait for more starts when they have been taken. */
  #hadContent = false;

  constructor(body: AnswerBody, options: RelayOptions) {
    const { promise, resolve } = Promise.withResolvers<SendOutcome>();
    this.sent = promise;
    this.#resolve = resolve;
    this.#body = body;
    this.#options = options;
    this.#lines = options.afterBreak === undefined ? undefined : new WholeLines();
  }

  start(controller: Controller): void {
    const { deadlines, head, tap, idleTimeoutMs, rewrite } = this.#options;
    deadlines.wait("client", idleTimeoutMs);
    deadlines.onEnd = (reason) => {
      this.#body.abort(reason);
      if (reason.kind !== "client_closed") return;
      this.#end("cancelled");
      // A client that stopped reading does not pull, so the stream is ended from here.
      controller.error();
    };
    const ping = rewrite?.ping;
    if (ping !== undefined) {
      deadlines.onQuiet = () => {
        // One that is not read yet is enough.
        if ((controller.desiredSize ?? -1) >= 0) controller.enqueue(ping);
      };
    }
    if (head === undefined) return;
    tap?.push(head);
    this.#hadContent = true;
    controller.enqueue(head);
  }

  async pull(controller: Controller): Promise<void> {
    const { deadlines, tap, rewrite, hasContent } = this.#options;
    const lines = this.#lines;
    try {
      for (;;) {
        deadlines.touch("rest");
        if (this.#hadContent) deadlines.renewContent();
        const read = this.#reading ?? this.#body.read();
        this.#reading = undefined;
        if (!this.#hasBegun && this.#begin(read, controller)) return;
        const bytes = read instanceof Promise ? await read : read;
        if (bytes !== undefined) tap?.push(bytes);
        const whole = bytes === undefined || lines === undefined ? bytes : lines.take(bytes);
        this.#hadContent = whole !== undefined && (hasContent?.(whole) ?? true);
        const piece = whole === undefined || rewrite === undefined ? whole : rewrite.push(whole);
        if (piece !== undefined) {
          deadlines.touch("client");
          this.#hasBegun = true;
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
    this.#options.deadlines.cancel();
  }

  /**
   * Bun sends the headers with the first byte. Where a sign of life can be that byte, they go as
   * soon as the target's are there, and the first read goes on.
   */
  #begin(read: ReturnType<AnswerBody["read"]>, controller: Controller): boolean {
    if (!(read instanceof Promise)) return false;
    this.#hasBegun = true;
    const ping = this.#options.rewrite?.ping;
    if (ping === undefined) return false;
    this.#reading = read;
    // It is awaited by the next pull, if there is one.
    read.catch(() => undefined);
    this.#options.deadlines.touch("client");
    controller.enqueue(ping);
    return true;
  }

  async #broken(controller: Controller, cause: unknown): Promise<void> {
    const { deadlines, afterBreak } = this.#options;
    if (deadlines.reason?.kind === "client_closed") return;
    const sequel = await afterBreak?.(cause);
    if (sequel !== undefined && "body" in sequel) {
      // The part of a line that was held back is repeated by the next body.
      this.#lines?.rest();
      this.#body = sequel.body;
      return this.pull(controller);
    }
    this.#end("failed");
    // Without an argument, because Bun would print it.
    if (sequel === undefined) return void controller.error();
    controller.enqueue(sequel.last);
    controller.close();
  }

  /** The last bytes to send once the target's stream has ended. */
  #ending(): Uint8Array[] {
    const { rewrite } = this.#options;
    const rest = this.#lines?.rest();
    const made = rest === undefined || rewrite === undefined ? rest : rewrite.push(rest);
    const said = made === rewrite?.ping ? undefined : made;
    return [said, rewrite?.end()].filter((piece) => piece !== undefined);
  }

  #end(outcome: SendOutcome): void {
    this.#options.deadlines.end();
    this.#resolve(outcome);
  }
}

/** Passes bytes on up to the last line end, and holds back the rest. */
class WholeLines {
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  /** Takes the next bytes; returns those that may be sent now. */
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

  /** Returns the bytes that are held back, and forgets them. */
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
