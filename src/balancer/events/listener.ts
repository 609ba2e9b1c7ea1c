/** Bytes that wait for a listener that does not take them; beyond, it is sent away. */
const WAITING_BYTES_MAX = 256 * 1024;

/** One page that listens: takes frames as fast as its connection does, and nothing beyond that. */
export class EventListener {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #onGone: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isPulling = false;
  #isGone = false;
  #wake: (() => void) | undefined;

  /** `onGone` is called once, when it has left or was sent away. */
  constructor(onGone: () => void) {
    this.#onGone = onGone;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#leave(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Sends a frame. A listener that is too slow for it is sent away, and comes again by itself. */
  send(frame: Uint8Array): void {
    if (this.#isGone) return;
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    if (this.#isPulling) this.#flush();
    else if (this.#waitingBytes > WAITING_BYTES_MAX) this.end();
  }

  /** Ends its stream; its browser connects again. */
  end(): void {
    if (this.#isGone) return;
    this.#leave();
    try {
      this.#controller?.close();
    } catch {
      // It has closed by itself meanwhile.
    }
    this.#wake?.();
  }

  #pull(): Promise<void> | undefined {
    this.#isPulling = true;
    if (this.#waiting.length > 0) {
      this.#flush();
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  #flush(): void {
    const [only, ...more] = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#isPulling = false;
    if (only !== undefined) {
      this.#controller?.enqueue(more.length === 0 ? only : Buffer.concat([only, ...more]));
    }
    this.#wake?.();
    this.#wake = undefined;
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#waiting = [];
    this.#onGone();
  }
}
