import { ClientError } from "../../http/client/failure.ts";
import type { Semaphore } from "../../lib/semaphore.ts";
import { sleep } from "../../lib/sleep.ts";
import { Changed, PullError, Setback } from "./failure.ts";
import type { Part } from "./part.ts";
import { type RangeAnswer, requestRange, type Source } from "./request.ts";
import { RetryLimit, type RetryLimitOptions } from "./retrylimit.ts";
import type { Throttle } from "./throttle.ts";

/** What fetching is bounded by; shared by the files of a pull. */
export interface FetchOptions {
  allows(url: string, redirected: boolean): boolean;
  throttle: Throttle;
  /** Open connections of all pulls. */
  connections: Semaphore;
  /** Ranges of one file that are fetched at the same time, at most. */
  lanes: number;
  /** How long each is given to bring enough by itself, before another one is begun. */
  rampMs: number;
  /** Size of a range. */
  segmentBytes: number;
  /** How much a byte counts for the throttle. */
  weight: number;
  idleMs: number;
  patience: RetryLimitOptions;
  /** The SHA-256 that the file has to have; a source that names another one is wrong. */
  sha256: string | null;
  onBytes(count: number): void;
  /** What has come is worth nothing, all begins anew. */
  onRestart(): void;
  signal: AbortSignal;
}

const RESTARTS_MAX = 3;
/** More connections would only cost time then: 200 MB/s. */
const ENOUGH_BYTES_PER_MS = 200_000;

/**
 * Fetches what is missing of a part from one source, in several ranges at once if the server can.
 * A file that is another one than the part was begun with is fetched anew. Throws `PullError`.
 */
export async function fetchPart(part: Part, source: Source, options: FetchOptions): Promise<void> {
  let ranged = true;
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await new Fetch(part, source, options).run(ranged);
    } catch (error) {
      if (!(error instanceof Changed)) throw error;
      if (error instanceof Rangeless) ranged = false;
      if (restarts >= RESTARTS_MAX) {
        const message = `Fetching ${source.url} failed: ${error.message}, ${restarts} times.`;
        throw new PullError("changed", message, error);
      }
      await part.restart();
      options.onRestart();
    }
  }
}

/** The server sends files from their beginning only. */
class Rangeless extends Changed {}

class Fetch {
  readonly #part: Part;
  readonly #source: Source;
  readonly #options: FetchOptions;
  readonly #patience: RetryLimit;
  /** Ends the other lanes when one has failed. */
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** Bytes that came from this source. */
  #came = 0;
  /** Pieces that no lane has taken yet. */
  #open: [number, number][] = [];

  constructor(part: Part, source: Source, options: FetchOptions) {
    this.#part = part;
    this.#source = source;
    this.#options = options;
    this.#patience = new RetryLimit(options.patience);
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
  }

  async run(ranged: boolean): Promise<void> {
    const size = this.#part.sizeBytes;
    if (!ranged) return this.#fromBeginning();
    if (size === undefined) return this.#ofUnknownSize();
    this.#open = this.#part.gaps(size).flatMap((gap) => segments(gap, this.#options.segmentBytes));
    await this.#together();
  }

  /** All of it in one answer, however often that takes. */
  async #fromBeginning(): Promise<void> {
    for (;;) {
      try {
        this.#part.sizeBytes = await this.#range(0, this.#part.sizeBytes);
        return;
      } catch (error) {
        if (!(error instanceof Setback)) throw error;
        await this.#part.restart();
        this.#options.onRestart();
        await this.#patience.after(error, this.#source.url, this.#signal);
      }
    }
  }

  /** A first answer tells the size; then it goes on as ever. */
  async #ofUnknownSize(): Promise<void> {
    for (;;) {
      const start = this.#part.reach;
      try {
        const ended = await this.#range(start, undefined);
        if (this.#part.sizeBytes === undefined) this.#part.sizeBytes = ended;
      } catch (error) {
        if (!(error instanceof Setback)) throw error;
        await this.#patience.after(error, this.#source.url, this.#signal);
      }
      const size = this.#part.sizeBytes;
      if (size !== undefined && this.#part.gaps(size).length === 0) return;
    }
  }

  /** Another range at a time as long as those there are do not bring as much as a disk takes. */
  async #together(): Promise<void> {
    const { lanes, rampMs } = this.#options;
    let failure: unknown;
    const start = () =>
      this.#lane().catch((error: unknown) => {
        failure ??= error;
        this.#stop.abort(error);
      });
    const first = start();
    const running = [first];
    while (running.length < lanes && this.#open.length > 0 && !this.#signal.aborted) {
      const before = this.#came;
      await this.#eitherOr(first, rampMs);
      if (this.#came - before <= ENOUGH_BYTES_PER_MS * rampMs) running.push(start());
    }
    await Promise.all(running);
    if (failure !== undefined) throw failure;
  }

  async #eitherOr(first: Promise<void>, ms: number): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#signal, over.signal]);
    await Promise.race([first, sleep(ms, signal).catch(() => undefined)]);
    over.abort();
  }

  async #lane(): Promise<void> {
    for (let next = this.#open.shift(); next !== undefined; next = this.#open.shift()) {
      const [from, end] = next;
      for (let at = from; at < end; ) {
        try {
          at = await this.#range(at, end);
        } catch (error) {
          if (!(error instanceof Setback)) throw error;
          at = this.#reached(at, end);
          if (at < end) await this.#patience.after(error, this.#source.url, this.#signal);
        }
      }
    }
  }

  /** How far a range has come that was broken off. */
  #reached(at: number, end: number): number {
    const gap = this.#part.gaps(end).find(([, gapEnd]) => gapEnd > at);
    return gap === undefined ? end : Math.max(at, gap[0]);
  }

  /** Fetches a range, or as much of it as comes in one answer; returns where that ended. */
  async #range(start: number, end: number | undefined): Promise<number> {
    using _ = await this.#options.connections.acquire(this.#signal);
    const { allows, idleMs } = this.#options;
    const answer = await requestRange({
      source: this.#source,
      start,
      end,
      ifRange: this.#ifRange(start),
      allows,
      idleMs,
      signal: this.#signal,
    });
    const { exchange } = answer;
    const onAbort = () => exchange.abort(this.#signal.reason);
    this.#signal.addEventListener("abort", onAbort, { once: true });
    try {
      this.#signal.throwIfAborted();
      this.#compare(answer, start);
      return await this.#read(answer, start, end);
    } catch (error) {
      exchange.abort(error);
      this.#signal.throwIfAborted();
      if (error instanceof ClientError) throw new Setback(error.message, { cause: error });
      throw error;
    } finally {
      this.#signal.removeEventListener("abort", onAbort);
    }
  }

  /** A strong tag of the server itself; the hub's own tag is compared instead of sent. */
  #ifRange(start: number): string | undefined {
    const { etag } = this.#part;
    if (start === 0 || this.#source.peer || etag === undefined) return undefined;
    return /^"[^"]*"$/.test(etag) && this.#options.sha256 === null ? etag : undefined;
  }

  /** Throws `Changed` if the answer belongs to another file than what is there. */
  #compare({ etag, linked, totalBytes, start: came }: RangeAnswer, start: number): void {
    const { sha256 } = this.#options;
    const plain = etag?.replace(/^W\/|"/g, "");
    if (this.#source.peer) {
      if (sha256 !== null && plain !== sha256) {
        const message = `${this.#source.url} is another file than the manifest's.`;
        throw new PullError("mismatch", message);
      }
      this.#compareSize(totalBytes);
      if (came !== start) throw new Rangeless("the node sends no ranges");
      return;
    }
    const named = linked && /^[0-9a-f]{64}$/.test(plain ?? "");
    if (named && sha256 !== null && plain !== sha256) {
      const message = `Fetching ${this.#source.url} failed: the hub has another file by now than \
the manifest names. Register the model anew.`;
      throw new PullError("mismatch", message);
    }
    const known = this.#part.etag;
    const others = known !== undefined && etag !== undefined && known !== etag;
    if (others && this.#part.bytes > 0) throw new Changed("the file changed while it was fetched");
    this.#part.etag ??= etag;
    if (came !== start) {
      if (etag !== undefined && etag === known) throw new Rangeless("the server sends no ranges");
      throw new Changed("the server does not go on where the last answer ended");
    }
    this.#compareSize(totalBytes);
  }

  #compareSize(totalBytes: number | undefined): void {
    const { sizeBytes } = this.#part;
    if (totalBytes === undefined || sizeBytes === totalBytes) return;
    if (sizeBytes === undefined) {
      this.#part.sizeBytes = totalBytes;
      return;
    }
    const message = `Fetching ${this.#source.url} failed: the file has ${totalBytes} bytes, but \
${sizeBytes} were expected. Register the model anew.`;
    throw new PullError("mismatch", message);
  }

  async #read(answer: RangeAnswer, start: number, end: number | undefined): Promise<number> {
    const { throttle, weight, onBytes } = this.#options;
    let at = start;
    for (;;) {
      const bytes = await this.#next(answer);
      if (bytes === undefined) {
        if (end === undefined || at === end) return at;
        throw new Setback("the answer ended too early", {});
      }
      // A server that ignores ranges sends all; what others fetch is not taken from here.
      const wanted = end === undefined ? bytes : bytes.subarray(0, end - at);
      await throttle.take(wanted.byteLength, weight, this.#signal);
      await this.#part.write(at, wanted);
      at += wanted.byteLength;
      this.#patience.came(wanted.byteLength);
      this.#came += wanted.byteLength;
      onBytes(wanted.byteLength);
      if (at === end && !answer.exchange.ended) {
        answer.exchange.abort(new ClientError("broken", "enough"));
        return at;
      }
    }
  }

  async #next({ exchange }: RangeAnswer): Promise<Uint8Array | undefined> {
    const bytes = exchange.read();
    if (!(bytes instanceof Promise)) return bytes;
    const { idleMs } = this.#options;
    const late = new Setback(`nothing came for ${idleMs} ms`, {});
    const timer = setTimeout(() => exchange.abort(late), idleMs);
    try {
      return await bytes;
    } finally {
      clearTimeout(timer);
    }
  }
}

function segments([start, end]: [number, number], bytes: number): [number, number][] {
  const list: [number, number][] = [];
  for (let at = start; at < end; at += bytes) {
    list.push([at, Math.min(end, at + bytes)]);
  }
  return list;
}
