import { type AnswerBody, passOver } from "../client/body.ts";
import type { Deadlines } from "./deadlines.ts";
import { nothingCame } from "./hiddenerror.ts";
import type { StreamRewrite } from "./rewrite/rewrite.ts";
import { SlicedBody } from "./slicedbody.ts";
import { WholeLines } from "./wholelines.ts";

/**
 * How the sending of a body ended: `stopped` is what had to end although both sides were there,
 * because this process ends.
 */
export type SendOutcome = "complete" | "failed" | "cancelled" | "stopped";

/** Sees bytes as they pass. It must not change them. */
export interface Tap {
  push(bytes: Uint8Array): void;
}

/** Bytes that clients pass over, and where they may stand. */
export interface SignOfLife {
  bytes: Uint8Array;
  /** Whether it may follow this piece of the stream. */
  mayFollow(piece: Uint8Array): boolean;
}

export interface RelayOptions {
  deadlines: Deadlines;
  /** Longest silence of the target, and longest stall of the client. */
  idleTimeoutMs: number;
  /** Longest silence of the target before its first content. Default: `idleTimeoutMs`. */
  firstContentMs?: number;
  /** Tells content from signs of life, which renew no limit of it. Default: all is content. */
  hasContent?: (bytes: Uint8Array) => boolean;
  /** Bytes of the body that were read already; they are sent first. */
  head?: Uint8Array | undefined;
  /** What shows the client of a stream without a rewrite of its own that it is alive. */
  signOfLife?: SignOfLife;
  tap?: Tap | undefined;
  /** Changes the bytes for the client; the tap sees them unchanged. */
  rewrite?: StreamRewrite | undefined;
  /** Called when the first content comes. */
  onContent?: (() => void) | undefined;
  /** The status that the first content ought to have had, if it tells of an error. */
  errorIn?: ((content: Uint8Array) => number | undefined) | undefined;
  /**
   * Called when the target's stream broke, ended too early or tells of an error, `hasBegun` if it
   * had content before. Returns what goes to the client from there on; undefined: nothing does.
   */
  instead?: ((failure: Failure, hasBegun: boolean) => Promise<Relayed | undefined>) | undefined;
  /**
   * The last bytes of a stream that breaks. Default: the connection is cut, which HTTP clients see
   * as an incomplete body.
   */
  afterBreak?(cause: unknown): Promise<Uint8Array>;
}

type Failure = { cause: unknown } | { status: number };

export interface Relayed {
  stream: ReadableStream<Uint8Array>;
  sent: Promise<SendOutcome>;
}

/**
 * Passes a target's body on as it comes, at the client's pace: little is read ahead, so a slow
 * client slows the target. Without `rewrite` the bytes stay as they are. With `afterBreak`, part of
 * a line is held back until its rest comes, so that the client of a broken stream has whole lines.
 * Another stream can take the place of one that fails, or go on where it broke (`instead`).
 */
export function relay(body: AnswerBody, options: RelayOptions): Relayed {
  const source = new RelaySource(body, options);
  const stream = new ReadableStream<Uint8Array>(source, { highWaterMark: 0 });
  return { stream, sent: source.sent };
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

/** The source of the client's stream: the body of one target, or what came in its place. */
class RelaySource {
  readonly sent: Promise<SendOutcome>;
  readonly #resolve: (outcome: SendOutcome) => void;
  readonly #options: RelayOptions;
  readonly #lines: WholeLines | undefined;
  readonly #body: SlicedBody;
  /** What goes to the client in place of a stream that failed before its first content. */
  #next: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #isCancelled = false;
  /** The client waits for the next piece. */
  #isPulling = false;
  /** A read that goes on while the client got a sign of life. */
  #reading: Promise<Uint8Array | undefined> | undefined;
  #hasBegun = false;
  /** It told of an error in place of an answer, and nobody took its place. */
  #isGivenUp = false;
  /** What the client was sent last. */
  #lastPiece: Uint8Array | undefined;
  /** The last bytes had content: the wait for more starts when they have been taken. */
  #hadContent = false;
  /** There has been content, so that no other stream can take the place of this one. */
  #isContentThere = false;

  constructor(body: AnswerBody, options: RelayOptions) {
    ({ promise: this.sent, resolve: this.#resolve } = Promise.withResolvers<SendOutcome>());
    this.#options = options;
    // What is changed costs time by its length; what passes does not.
    const passes = options.rewrite === undefined || options.rewrite.passes === true;
    this.#body = new SlicedBody(body, passes ? Number.POSITIVE_INFINITY : undefined);
    this.#lines = options.afterBreak === undefined ? undefined : new WholeLines();
  }

  start(controller: Controller): void {
    const { deadlines, head, tap, idleTimeoutMs, rewrite } = this.#options;
    deadlines.wait("client", idleTimeoutMs);
    deadlines.onEnd = (reason) => {
      this.#body.abort(reason);
      // Nobody hears of it before a client that does not read goes on; it may never.
      if (reason.kind === "draining" && !this.#isPulling) this.#end("stopped");
      if (reason.kind !== "client_closed") return;
      this.#end("cancelled");
      // A client that stopped reading does not pull, so the stream is ended from here.
      controller.error();
    };
    deadlines.onQuiet = () => {
      // One that is not read yet is enough.
      if ((controller.desiredSize ?? -1) < 0) return;
      const ping = rewrite?.ping ?? this.#signOfLife();
      if (ping !== undefined) controller.enqueue(ping);
    };
    if (head === undefined) return;
    tap?.push(head);
    this.#hadContent = true;
    this.#isContentThere = true;
    controller.enqueue(head);
  }

  /** Undefined: it would stand in the middle of an event. */
  #signOfLife(): Uint8Array | undefined {
    const { signOfLife } = this.#options;
    const last = this.#lastPiece;
    return last === undefined || signOfLife?.mayFollow(last) ? signOfLife?.bytes : undefined;
  }

  pull(controller: Controller): Promise<void> {
    if (this.#next !== undefined) return this.#pullNext(this.#next, controller);
    this.#isPulling = true;
    return this.#pull(controller);
  }

  async #pull(controller: Controller): Promise<void> {
    const { deadlines, tap, rewrite, hasContent, idleTimeoutMs } = this.#options;
    const { firstContentMs = idleTimeoutMs } = this.#options;
    const lines = this.#lines;
    try {
      for (;;) {
        deadlines.wait("rest", this.#isContentThere ? idleTimeoutMs : firstContentMs);
        if (this.#hadContent) deadlines.renewContent();
        const read = this.#reading ?? this.#body.read();
        this.#reading = undefined;
        if (!this.#hasBegun && this.#begin(read, controller)) return;
        const bytes = this.#body.slice(read instanceof Promise ? await read : read);
        if (bytes !== undefined) tap?.push(bytes);
        const whole = bytes === undefined || lines === undefined ? bytes : lines.take(bytes);
        this.#hadContent = whole !== undefined && (hasContent?.(whole) ?? true);
        if (whole !== undefined && this.#hadContent && !this.#isContentThere) {
          if (await this.#isReplaced(whole, controller)) return;
        }
        const piece = whole === undefined || rewrite === undefined ? whole : rewrite.push(whole);
        if (rewrite?.isOver === true) return this.#over(controller, piece);
        if (piece !== undefined) {
          deadlines.wait("client", idleTimeoutMs);
          this.#hasBegun = true;
          this.#lastPiece = piece;
          controller.enqueue(piece);
          return;
        }
        if (bytes !== undefined) continue;
        const rest = lines?.rest();
        if (!this.#isContentThere && hasContent !== undefined) {
          if (rest === undefined || !hasContent(rest)) throw nothingCame();
          if (await this.#isReplaced(rest, controller)) return;
        }
        for (const last of this.#ending(rest)) controller.enqueue(last);
        this.#end("complete");
        return controller.close();
      }
    } catch (cause) {
      await this.#broken(controller, cause);
    } finally {
      this.#isPulling = false;
    }
  }

  cancel(): void {
    this.#isCancelled = true;
    if (this.#next === undefined) this.#options.deadlines.cancel();
    else leave(this.#next);
  }

  /** The first content came: true if it tells a failure, and another stream takes its place. */
  async #isReplaced(content: Uint8Array, controller: Controller): Promise<boolean> {
    const status = this.#options.errorIn?.(content);
    if (status !== undefined && (await this.#goOn({ status }, controller))) return true;
    this.#isGivenUp = status !== undefined;
    this.#isContentThere = true;
    if (status === undefined) this.#options.onContent?.();
    return false;
  }

  /** Whether another stream takes the place of this one, which failed, or goes on with it. */
  async #goOn(failure: Failure, controller: Controller): Promise<boolean> {
    const { deadlines, instead } = this.#options;
    if (instead === undefined || deadlines.reason?.kind === "draining") return false;
    if (this.#isGivenUp) return false;
    if (this.#isContentThere) deadlines.waitForOther();
    const next = await instead(failure, this.#isContentThere);
    if (next === undefined) return false;
    this.#body.abort(new Error("Another stream took its place."));
    deadlines.end();
    next.sent.then(this.#resolve);
    this.#next = next.stream.getReader();
    if (this.#isCancelled) leave(this.#next);
    else await this.#pullNext(this.#next, controller);
    return true;
  }

  async #pullNext(next: ReadableStreamDefaultReader, controller: Controller): Promise<void> {
    try {
      const { done, value } = await next.read();
      if (done) controller.close();
      else controller.enqueue(value);
    } catch {
      // Without an argument, because Bun would print it.
      controller.error();
    }
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
    const { deadlines, afterBreak, rewrite } = this.#options;
    if (deadlines.reason?.kind === "client_closed") return;
    const wantsMore = rewrite?.wantsMore === true;
    if (wantsMore && (await this.#goOn({ cause }, controller))) return;
    // Behind the end of an answer it is no break.
    const end = rewrite?.finish?.();
    if (end !== undefined && !this.#isCancelled) return this.#over(controller, end);
    if (!wantsMore && (await this.#goOn({ cause }, controller))) return;
    const last = await afterBreak?.(cause);
    this.#body.abort(cause);
    this.#end(deadlines.reason?.kind === "draining" ? "stopped" : "failed");
    if (this.#isCancelled) return;
    if (last === undefined) controller.error();
    else closeWith(controller, last);
  }

  /** The answer is complete: the client waits for no end, error or reset behind it. */
  #over(controller: Controller, last: Uint8Array | undefined): void {
    this.#end("complete");
    closeWith(controller, last);
    void passOver(this.#body);
  }

  /** The last bytes to send once the target's stream has ended. */
  #ending(rest: Uint8Array | undefined): Uint8Array[] {
    const { rewrite } = this.#options;
    const made = rest === undefined || rewrite === undefined ? rest : rewrite.push(rest);
    const said = made === rewrite?.ping ? undefined : made;
    return [said, rewrite?.end()].filter((piece) => piece !== undefined);
  }

  #end(outcome: SendOutcome): void {
    this.#options.deadlines.end();
    this.#resolve(outcome);
  }
}

function closeWith(controller: Controller, last: Uint8Array | undefined): void {
  if (last !== undefined) controller.enqueue(last);
  controller.close();
}

/** Without waiting, and whatever becomes of it: nobody reads it any more. */
function leave(reader: ReadableStreamDefaultReader): void {
  reader.cancel().catch(() => undefined);
}
