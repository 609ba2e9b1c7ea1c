import type { Watch } from "./watch.ts";

/** How the sending of a body ended. */
export type SendOutcome = "complete" | "failed" | "cancelled";

/** Sees bytes as they pass by; it may neither change nor keep them. */
export interface Tap {
  push(bytes: Uint8Array): void;
}

export interface RelayOptions {
  watch: Watch;
  /** Longest silence of the target, and longest stall of the client. */
  idleTimeoutMs: number;
  /** Sent first: what was read already. */
  head?: Uint8Array[];
  tap?: Tap | undefined;
  /**
   * Makes the last bytes of a stream that breaks. When absent the connection is cut instead, which
   * HTTP clients see as an incomplete body.
   */
  lastWords?(cause: unknown): Promise<Uint8Array>;
}

export interface Relayed {
  stream: ReadableStream<Uint8Array>;
  sent: Promise<SendOutcome>;
}

/** A line that grows longer than this is passed on in pieces. */
const HELD_BYTES_MAX = 256 * 1024;

const LINE_FEED = 10;

/**
 * Passes a target's body on as it comes, at the client's pace: nothing is read ahead, so a slow
 * client slows the target. Bytes and order stay as they are. With `lastWords`, half a line is held
 * back until its rest arrives: what a client has got of a broken stream is then whole lines.
 *
 * A cut is noticed when the body had a length or was chunked. A body that ends with its connection
 * (HTTP/1.0 style) looks complete when it is cut: Bun's fetch does not tell a reset from an end.
 */
export function relay(body: ReadableStream<Uint8Array>, options: RelayOptions): Relayed {
  const { watch, lastWords, tap } = options;
  const { promise: sent, resolve } = Promise.withResolvers<SendOutcome>();
  const reader = body.getReader();
  const lines = lastWords === undefined ? undefined : new WholeLines();
  let open = true;

  const end = (outcome: SendOutcome) => {
    open = false;
    watch.end();
    resolve(outcome);
  };
  const broken = async (controller: ReadableStreamDefaultController, cause: unknown) => {
    if (!open) return;
    const gone = watch.reason?.kind === "client_closed";
    end(gone ? "cancelled" : "failed");
    // Without an argument, because Bun prints what it is given.
    if (gone || lastWords === undefined) return controller.error();
    controller.enqueue(await lastWords(cause));
    controller.close();
  };
  /** The next bytes for the client; undefined at the end. */
  const read = async (): Promise<Uint8Array | undefined> => {
    for (;;) {
      watch.touch("rest");
      const { done, value } = await reader.read();
      if (done) return lines?.rest();
      tap?.push(value);
      const piece = lines === undefined ? value : lines.take(value);
      if (piece !== undefined) return piece;
    }
  };

  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        watch.wait("client", options.idleTimeoutMs);
        watch.signal.addEventListener("abort", () => broken(controller, watch.reason));
        for (const piece of options.head ?? []) {
          tap?.push(piece);
          controller.enqueue(piece);
        }
      },
      async pull(controller) {
        try {
          const piece = await read();
          if (!open) return;
          if (piece !== undefined) {
            watch.touch("client");
            return controller.enqueue(piece);
          }
          end("complete");
          controller.close();
        } catch (cause) {
          await broken(controller, cause);
        }
      },
      cancel() {
        end("cancelled");
        watch.cancel();
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, sent };
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
