import { ClientError } from "../../http/client/failure.ts";
import type { Semaphore } from "../../lib/semaphore.ts";
import { sleep } from "../../lib/sleep.ts";
import {
  FileChangedError,
  PullError,
  RangesUnsupportedError,
  SlowRangeError,
  TransientError,
} from "./error.ts";
import { checkResponse, type ExpectedResponse, ifRangeOf } from "./filecheck.ts";
import type { FileSource } from "./filesource.ts";
import type { PartFile } from "./partfile.ts";
import { FilePace, type RangePace } from "./rangepace.ts";
import { type RangeResponse, requestRange } from "./rangerequest.ts";
import type { Range } from "./ranges.ts";
import { RetryLimit, type RetryLimitOptions } from "./retrylimit.ts";
import type { Throttle } from "./throttle.ts";
import { mayBeWebPage, startsLikeWebPage, webPageError } from "./webpage.ts";

/** The limits of fetching a part, which the files of a pull share, and who is told of bytes. */
export interface PartFetchOptions {
  /** Whether a file may come from an address; `redirected`: another address redirects to it. */
  allows(url: string, redirected: boolean): boolean;
  throttle: Throttle;
  /** Permits for open connections, of all pulls together. */
  connections: Semaphore;
  /** Most ranges of one file that are fetched at the same time. */
  parallel: number;
  /** Time after which another range is begun if those that run do not bring enough. */
  rampMs: number;
  /** Size of a range. */
  segmentBytes: number;
  /** How many bytes one byte counts as for the throttle. */
  weight: number;
  /** Longest silence of a server. */
  idleMs: number;
  /** How long a range may be far slower than others before it is asked for anew. */
  slowMs: number;
  retryLimit: RetryLimitOptions;
  /** The SHA-256 that the file must have; null if it is not known. */
  sha256: string | null;
  onBytes(count: number): void;
  /** Called when the bytes fetched so far are discarded and the file is fetched anew. */
  onRestart(): void;
  signal: AbortSignal;
}

const RESTARTS_MAX = 3;
/** Connections that share a limit of bytes, at most. */
const CONNECTIONS_MAX = 8;
/** From this rate on, more connections do not help: 200 MB/s. */
const ENOUGH_BYTES_PER_MS = 200_000;

/**
 * Fetches what is missing of a part from one source, in several ranges at once if the server sends
 * ranges. A file that has changed since the part was begun is fetched anew, at most three times.
 * Throws `PullError`, or the signal's reason.
 */
export async function fetchPart(
  part: PartFile,
  source: FileSource,
  options: PartFetchOptions,
): Promise<void> {
  let ranged = true;
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await new PartFetch(part, source, options).run(ranged);
    } catch (error) {
      if (!(error instanceof FileChangedError)) throw error;
      if (error instanceof RangesUnsupportedError) ranged = false;
      if (restarts >= RESTARTS_MAX) {
        const message = `Fetching ${source.url} failed: ${error.message}, ${restarts} times.`;
        throw new PullError("changed", message, error);
      }
      await part.restart();
      options.onRestart();
    }
  }
}

/** One attempt to fetch what is missing of a part. */
class PartFetch {
  readonly #part: PartFile;
  readonly #source: FileSource;
  readonly #options: PartFetchOptions;
  readonly #file: ExpectedResponse;
  readonly #retryLimit: RetryLimit;
  readonly #pace: FilePace;
  /** Ends the other ranges when one has failed. */
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** Bytes that this source has sent. */
  #received = 0;
  /** Ranges that are not being fetched yet. */
  #open: Range[] = [];

  constructor(part: PartFile, source: FileSource, options: PartFetchOptions) {
    this.#part = part;
    this.#source = source;
    this.#options = options;
    this.#file = { part, source, sha256: options.sha256 };
    this.#retryLimit = new RetryLimit(options.retryLimit);
    this.#pace = new FilePace(options.slowMs);
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
  }

  async run(ranged: boolean): Promise<void> {
    const size = this.#part.sizeBytes;
    if (!ranged) return this.#fromBeginning();
    if (size === undefined) return this.#ofUnknownSize();
    this.#open = this.#part.gaps(size).flatMap((gap) => segments(gap, this.#options.segmentBytes));
    await this.#openRanges();
  }

  /** Fetches the whole file in one response, again from its beginning after every failure. */
  async #fromBeginning(): Promise<void> {
    for (;;) {
      try {
        this.#part.sizeBytes = await this.#range(0, this.#part.sizeBytes);
        return;
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        await this.#part.restart();
        this.#options.onRestart();
        await this.#retryLimit.after(error, this.#source.url, this.#signal);
      }
    }
  }

  /** Fetches a file whose size the first response tells, if at all. */
  async #ofUnknownSize(): Promise<void> {
    for (;;) {
      const start = this.#part.reach;
      try {
        const ended = await this.#range(start, undefined);
        if (this.#part.sizeBytes === undefined) this.#part.sizeBytes = ended;
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        await this.#retryLimit.after(error, this.#source.url, this.#signal);
      }
      const size = this.#part.sizeBytes;
      if (size !== undefined && this.#part.gaps(size).length === 0) return;
    }
  }

  /** Fetches the open ranges; begins one more at a time while the rate is below a disk's. */
  async #openRanges(): Promise<void> {
    const { parallel, rampMs } = this.#options;
    let failure: unknown;
    const start = () =>
      this.#nextRanges().catch((error: unknown) => {
        failure ??= error;
        this.#stop.abort(error);
      });
    const first = start();
    const running = [first];
    while (running.length < parallel && this.#open.length > 0 && !this.#signal.aborted) {
      const before = this.#received;
      await this.#endOrTime(first, rampMs);
      if (this.#received - before <= ENOUGH_BYTES_PER_MS * rampMs) running.push(start());
    }
    await Promise.all(running);
    if (failure !== undefined) throw failure;
  }

  /** Waits until `first` has ended, but no longer than `ms`. */
  async #endOrTime(first: Promise<void>, ms: number): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#signal, over.signal]);
    await Promise.race([first, sleep(ms, signal).catch(() => undefined)]);
    over.abort();
  }

  /** Fetches one open range after the other until none is left. */
  async #nextRanges(): Promise<void> {
    for (let next = this.#open.shift(); next !== undefined; next = this.#open.shift()) {
      const [from, end] = next;
      const pace = this.#pace.range(performance.now());
      for (let at = from; at < end; ) {
        try {
          pace.restart(performance.now());
          at = await this.#range(at, end, pace);
        } catch (error) {
          const isSlow = error instanceof SlowRangeError;
          if (!isSlow && !(error instanceof TransientError)) throw error;
          at = this.#reached(at, end);
          if (isSlow || at >= end) continue;
          await this.#retryLimit.after(error, this.#source.url, this.#signal);
        }
      }
      pace.end(performance.now());
    }
  }

  /** Where the bytes end that came of a range that broke off. */
  #reached(at: number, end: number): number {
    const gap = this.#part.gaps(end).find(([, gapEnd]) => gapEnd > at);
    return gap === undefined ? end : Math.max(at, gap[0]);
  }

  /** Fetches a range, or as much of it as one response brings; returns where that ended. */
  async #range(start: number, end: number | undefined, pace?: RangePace): Promise<number> {
    using _ = await this.#options.connections.acquire(this.#signal);
    const { allows, idleMs } = this.#options;
    const response = await requestRange({
      source: this.#source,
      start,
      end,
      ifRange: ifRangeOf(this.#file, start),
      allows,
      idleMs,
      signal: this.#signal,
    });
    const { exchange } = response;
    const onAbort = () => exchange.abort(this.#signal.reason);
    this.#signal.addEventListener("abort", onAbort, { once: true });
    try {
      this.#signal.throwIfAborted();
      checkResponse(this.#file, response, start);
      return await this.#read(response, { start, end, pace: response.ranged ? pace : undefined });
    } catch (error) {
      exchange.abort(error);
      this.#signal.throwIfAborted();
      if (error instanceof ClientError) throw new TransientError(error.message, { cause: error });
      throw error;
    } finally {
      this.#signal.removeEventListener("abort", onAbort);
    }
  }

  async #read(response: RangeResponse, { start, end, pace }: ReadRange): Promise<number> {
    const { throttle, weight, onBytes, parallel } = this.#options;
    let at = start;
    for (;;) {
      const bytes = await this.#next(response);
      if (bytes === undefined) {
        if (end === undefined || at === end) return at;
        throw new TransientError("the answer ended too early", {});
      }
      if (at === 0 && !response.ranged) refuseWebPage(bytes, this.#source.url);
      // A server that ignores ranges sends all: bytes behind this range are fetched elsewhere.
      const wanted = end === undefined ? bytes : bytes.subarray(0, end - at);
      await throttle.take(wanted.byteLength, weight, this.#signal);
      await this.#part.write(at, wanted);
      at += wanted.byteLength;
      this.#retryLimit.received(wanted.byteLength);
      this.#received += wanted.byteLength;
      onBytes(wanted.byteLength);
      if (at === end && !response.exchange.ended) {
        response.exchange.abort(new ClientError("broken", "enough"));
        return at;
      }
      const fair = throttle.shareBytesPerMs(CONNECTIONS_MAX * parallel * weight);
      if (pace?.isSlow(wanted.byteLength, performance.now(), fair)) throw new SlowRangeError();
    }
  }

  async #next({ exchange }: RangeResponse): Promise<Uint8Array | undefined> {
    const bytes = exchange.read();
    if (!(bytes instanceof Promise)) return bytes;
    const { idleMs } = this.#options;
    const late = new TransientError(`nothing came for ${idleMs} ms`, {});
    const timer = setTimeout(() => exchange.abort(late), idleMs);
    try {
      return await bytes;
    } finally {
      clearTimeout(timer);
    }
  }
}

function refuseWebPage(bytes: Uint8Array, url: string): void {
  if (startsLikeWebPage(bytes) && !mayBeWebPage(url)) throw webPageError(url);
}

/** Which bytes of a response are read. */
interface ReadRange {
  start: number;
  end: number | undefined;
  /** Watches how fast they come, if what is missing can be asked for. */
  pace: RangePace | undefined;
}

function segments([start, end]: Range, bytes: number): Range[] {
  const list: Range[] = [];
  for (let at = start; at < end; at += bytes) {
    list.push([at, Math.min(end, at + bytes)]);
  }
  return list;
}
