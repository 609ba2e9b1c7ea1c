import type { Settings } from "../../config/settings.ts";
import { waitFor } from "../../lib/deadline.ts";
import { LinkedList, ListItem } from "../../lib/linkedlist.ts";
import { ApiError } from "../../wire/error.ts";

export interface BodyMemoryOptions {
  /** Most bytes of all requests together. */
  limitBytes: number;
  /** How long a request may wait for room; 0: not at all. */
  readonly waitMs: number;
  /**
   * Makes the process give back what it does not need any more. Called after large bodies, before
   * others take their place: a collector that is not told sees them late. Default: nothing does.
   */
  collect?(): void;
}

/** Larger ones may take only a part of the memory, so that there is room for the usual ones. */
const SMALL_BYTES_MAX = 3 * 2 ** 20;
const LARGE_PART = 1 / 4;

/** Large shares that are given back before the process is made to collect: that takes its time. */
const COLLECTED_BYTES = 64 * 2 ** 20;

/** Requests that may wait. What they send waits in the network, and takes no memory here. */
const WAITING_MAX = 1000;

/** The code of a refusal because there is no memory for a body, which is not read. */
export const BODY_MEMORY_FULL = "body_memory_full";

const RETRY_AFTER_S = 5;

/** A request's part of the memory. */
export class BodyShare {
  readonly isLarge: boolean;
  readonly #memory: BodyMemory;
  #bytes: number;
  #isReleased = false;

  /** @internal */
  constructor(memory: BodyMemory, bytes: number, isLarge: boolean) {
    this.#memory = memory;
    this.#bytes = bytes;
    this.isLarge = isLarge;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes so many bytes in all, at once. Throws 503 if there is no room. */
  grow(bytes: number): void {
    if (bytes <= this.#bytes || this.#isReleased) return;
    this.#memory.grow(this, bytes);
    this.#bytes = bytes;
  }

  /** Gives it back. Idempotent. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#memory.release(this);
  }
}

/** A request that waits for room. */
class Waiting extends ListItem {
  readonly bytes: number;
  readonly settle: (share: BodyShare) => void;

  constructor(bytes: number, settle: (share: BodyShare) => void) {
    super();
    this.bytes = bytes;
    this.settle = settle;
  }
}

/**
 * The memory that all request bodies may take together, with what is read of them. Each request
 * takes its share before its body is read, and gives it back at its end.
 *
 * 1. Shares of more than 3 MiB are large: all of them together may take a quarter of the memory.
 * 2. A share that is there alone (of the large ones, if it is large) is always given.
 * 3. Without room a request waits, first come first served, large ones apart from the others.
 * 4. It is refused after `waitMs`, or if too many wait.
 */
export class BodyMemory {
  readonly #options: BodyMemoryOptions;
  readonly #queues = { large: new LinkedList<Waiting>(), small: new LinkedList<Waiting>() };
  readonly #held = { large: 0, small: 0 };
  #refused = 0;
  #uncollectedBytes = 0;

  constructor(options: BodyMemoryOptions) {
    this.#options = options;
  }

  /** Bytes that are taken. */
  get heldBytes(): number {
    return this.#held.large + this.#held.small;
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#queues.large.size + this.#queues.small.size;
  }

  /** Requests that were refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * A share of so many bytes, at once if there is room. Throws (rejects with) 503 if there is none,
   * or none in time; `client_closed` once its client has left.
   */
  take(bytes: number, client: Client): BodyShare | Promise<BodyShare> {
    const size = bytes > SMALL_BYTES_MAX ? "large" : "small";
    if (this.#queues[size].size === 0 && this.#hasRoom(bytes, size))
      return this.#share(bytes, size);
    const { waitMs } = this.#options;
    if (waitMs === 0 || this.waiting >= WAITING_MAX) throw this.#refusal();
    return this.#wait(bytes, size, client.signal);
  }

  /** @internal */
  grow({ bytes: before, isLarge }: BodyShare, bytes: number): void {
    const size = isLarge ? "large" : "small";
    if (!this.#hasRoom(bytes - before, size, before)) throw this.#refusal();
    this.#held[size] += bytes - before;
  }

  /** @internal */
  release({ bytes, isLarge }: BodyShare): void {
    this.#held[isLarge ? "large" : "small"] -= bytes;
    if (isLarge) this.#uncollectedBytes += bytes;
    if (this.#uncollectedBytes >= COLLECTED_BYTES) {
      this.#uncollectedBytes = 0;
      this.#options.collect?.();
    }
    for (const size of ["small", "large"] as const) {
      const queue = this.#queues[size];
      for (let next = queue.first; next !== undefined; next = queue.first) {
        if (!this.#hasRoom(next.bytes, size)) break;
        queue.remove(next);
        next.settle(this.#share(next.bytes, size));
      }
    }
  }

  async #wait(bytes: number, size: Size, signal: AbortSignal): Promise<BodyShare> {
    const queue = this.#queues[size];
    const end = await waitFor<BodyShare>(
      (settle) => {
        const waiting = new Waiting(bytes, settle);
        queue.push(waiting);
        return () => queue.remove(waiting);
      },
      { timeoutMs: this.#options.waitMs, signal },
    );
    if (end === "timeout") throw this.#refusal();
    if (end !== "aborted") return end;
    const message = "The request was given up: its client closed the connection.";
    throw new ApiError("client_closed", message);
  }

  #share(bytes: number, size: Size): BodyShare {
    this.#held[size] += bytes;
    return new BodyShare(this, bytes, size === "large");
  }

  /** Whether so many more bytes fit; `own` are those that who asks has already. */
  #hasRoom(bytes: number, size: Size, own = 0): boolean {
    const { limitBytes } = this.#options;
    const { large } = this.#held;
    const others = (size === "large" ? large : this.heldBytes) - own;
    if (others === 0) return true;
    const isWithinPart = size === "small" || large + bytes <= limitBytes * LARGE_PART;
    return isWithinPart && this.heldBytes + bytes <= limitBytes;
  }

  #refusal(): ApiError {
    this.#refused += 1;
    const message = `The request was not read: the bodies of other requests take all the memory \
that there is for them. Try again shortly, send less at once, or raise --body-memory.`;
    const more = { code: BODY_MEMORY_FULL, retryAfterS: RETRY_AFTER_S };
    return new ApiError("unavailable", message, more);
  }
}

/** The memory for bodies that the settings allow. */
export function bodyMemoryOf(
  settings: Pick<Settings, "bodyMemoryBytes" | "queueTimeoutMs">,
): BodyMemory {
  return new BodyMemory({
    limitBytes: settings.bodyMemoryBytes,
    // It may change while it runs.
    get waitMs() {
      return settings.queueTimeoutMs;
    },
    collect: () => Bun.gc(true),
  });
}

type Size = "large" | "small";

/** Whose signal aborts when it leaves; it is read only if the client has to wait. */
interface Client {
  readonly signal: AbortSignal;
}
