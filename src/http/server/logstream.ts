import type { LogEntry, LogFilter } from "../../lib/logentry.ts";
import type { FoundLine, LogTail } from "../../lib/logtail.ts";
import { ApiError } from "../../wire/error.ts";
import type { LogFrame } from "../../wire/log.ts";

/** Bytes that wait for a reader; lines beyond them are left out, and he is told how many. */
const WAITING_BYTES_MAX = 256 * 1024;
/** A connection that is silent for this long may be gone; a comment finds out. */
const PING_MS = 15_000;
/** A connection's time: its client then connects again, and the door looks whether it may. */
const CONNECTION_MS = 120_000;
/** Most readers of one log. */
const READERS_MAX = 32;

/** Most lines that a client which comes again gets of what it has missed. */
const MISSED_MAX = 1000;

const encoder = new TextEncoder();
const PING = encoder.encode(": still here\n\n");
const RETRY = encoder.encode("retry: 1000\n\n");

export interface LogStreamOptions {
  tail: LogTail;
  filter: LogFilter;
  /** What it begins with. */
  first: readonly LogEntry[];
  /** The number of the last line that it has, or that is in `first`: it gets those after. */
  after: number;
}

/** The readers that follow a process's log. */
export class LogStreams {
  #count = 0;

  /** A stream of events that goes on with each new line. Throws 429 for too many readers. */
  open(options: LogStreamOptions): ReadableStream<Uint8Array> {
    if (this.#count >= READERS_MAX) {
      const message = `Following the log failed: ${READERS_MAX} readers follow it already.`;
      throw new ApiError("rate_limited", message, { retryAfterS: CONNECTION_MS / 1000 });
    }
    this.#count += 1;
    const reader = new LogReader(options, () => {
      this.#count -= 1;
    });
    return new ReadableStream<Uint8Array>(reader, { highWaterMark: 0 });
  }
}

/** The number of the last line that a client has; undefined if its id is of another run. */
export function numberOfId(tail: LogTail, lastId: string | undefined): number | undefined {
  const [, run, number] = /^([\w-]+)-(\d{1,15})$/.exec(lastId ?? "") ?? [];
  return run === tail.id ? Number(number) : undefined;
}

/** One reader: takes lines as fast as its connection does. */
class LogReader {
  readonly #tail: LogTail;
  readonly #onGone: () => void;
  readonly #unfollow: () => void;
  readonly #pinging: Timer;
  readonly #ending: Timer;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Lines that found no room since the last one that was put in line. */
  #dropped = 0;
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(options: LogStreamOptions, onGone: () => void) {
    this.#tail = options.tail;
    this.#onGone = onGone;
    const { tail, filter, first, after } = options;
    this.#put(RETRY);
    for (const entry of first) this.#put(this.#frameOf(entry, after));
    for (const line of tail.recent(filter, { max: MISSED_MAX, after })) this.#add(line);
    this.#unfollow = tail.follow(filter, (line) => this.#add(line));
    this.#pinging = setInterval(() => this.#waitingBytes === 0 && this.#put(PING), PING_MS);
    this.#ending = setTimeout(() => this.#leave(), CONNECTION_MS);
    this.#pinging.unref();
    this.#ending.unref();
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#waiting.length === 0 && !this.#isOver) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    const frames = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#dropped > 0) {
      frames.push(encoder.encode(`event: dropped\n${dataOf({ dropped: this.#dropped })}`));
      this.#dropped = 0;
    }
    if (frames.length > 0) controller.enqueue(Buffer.concat(frames));
    if (this.#isOver) controller.close();
  }

  cancel(): void {
    this.#leave();
  }

  #add({ number, entry }: FoundLine): void {
    if (this.#waitingBytes > WAITING_BYTES_MAX || this.#dropped > 0) this.#dropped += 1;
    else this.#put(this.#frameOf(entry, number));
  }

  #put(frame: Uint8Array): void {
    if (this.#isOver) return;
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    this.#wake?.();
    this.#wake = undefined;
  }

  #frameOf(entry: LogEntry, number: number): Uint8Array {
    const id = `${this.#tail.id}-${number}`;
    return encoder.encode(`id: ${id}\n${dataOf({ id, ...entry })}`);
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unfollow();
    clearInterval(this.#pinging);
    clearTimeout(this.#ending);
    this.#onGone();
    this.#wake?.();
  }
}

function dataOf(frame: LogFrame): string {
  return `data: ${JSON.stringify(frame)}\n\n`;
}
