import type { HistoryBodies } from "../../config/fields/storage.ts";
import type { NewRequestRow } from "../../db/history/records.ts";
import type { Logger } from "../../lib/log.ts";
import type { PriceList } from "../limits/prices.ts";
import type { Tracing } from "../tracing/tracing.ts";
import { BODY_BYTES_MAX, redactLargeBody } from "./historybody.ts";
import { type FinishedRequest, historyRow } from "./historyrow.ts";
import type { Metrics } from "./metrics.ts";
import { type RecordedRequest, RequestRecord } from "./record.ts";
import { countTokens, type TokenCount } from "./tokencount.ts";
import { endsInError } from "./usage.ts";

export interface RecorderOptions {
  /** Queues a row to be written; undefined if there is no history. */
  history: { record(request: NewRequestRow): void } | undefined;
  metrics: Metrics;
  /** Undefined: there are no traces. */
  tracing?: Pick<Tracing, "end" | "refused"> | undefined;
  /** What models cost. Default: nothing. */
  prices?: Pick<PriceList, "costMicros">;
  /** Is told of requests as they begin and once they have been recorded. */
  observer?: RecordObserver;
  bodies: HistoryBodies;
  log: Logger;
}

export interface RecordObserver {
  began(record: RequestRecord): void;
  ended(record: RequestRecord, tokens: TokenCount): void;
}

/** What is kept of an answer whose body is not kept: enough for the first event of a stream. */
const HEAD_BYTES = 4096;
/** Longest time of one turn, in which requests that ended are recorded. */
const TURN_MS = 1;
/** The delay before a turn, so that it records many requests: a turn has its own cost. */
const PAUSE_MS = 4;
/** Requests that wait to be recorded; further ones are dropped and counted. */
const WAITING_MAX = 20_000;
/** Large bodies that wait to be redacted; further requests are recorded without their bodies. */
const LARGE_MAX = 16;
const LOG_EVERY_MS = 60_000;
const NO_TOKENS: TokenCount = { usage: undefined, source: null };

/**
 * Records every request in the history and the metrics. The work is done after a request's end, in
 * short turns, so that other requests are not delayed. Errors are logged and never thrown.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #headMax: number;
  readonly #onEnd = (record: RequestRecord) => this.#ended(record);
  #waiting: FinishedRequest[] = [];
  #scheduled = false;
  /** The redaction of large bodies, one after the other. */
  #large: Promise<void> = Promise.resolve();
  #largeCount = 0;
  #dropped = 0;
  #loggedAt = -Infinity;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#headMax = options.bodies === "none" ? HEAD_BYTES : BODY_BYTES_MAX;
  }

  /** Requests that were not recorded since the start: too many ended at once, or it failed. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Begins the record of a request. */
  begin(request: RecordedRequest, body: Uint8Array): RequestRecord {
    const options = { request, body, headMax: this.#headMax, onEnd: this.#onEnd };
    const record = new RequestRecord(options);
    this.#options.observer?.began(record);
    return record;
  }

  /** Counts a request that was refused before its model was known. */
  countUnreadable(request: RecordedRequest, error: unknown): void {
    this.#options.metrics.countUnreadable(error);
    this.#options.tracing?.refused(request, error);
  }

  /** Settles when all requests that ended are handed to the history. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#largeCount > 0) {
      this.#recordWaiting(Number.POSITIVE_INFINITY);
      await this.#large;
    }
  }

  #ended(record: RequestRecord): void {
    if (this.#waiting.length + this.#largeCount >= WAITING_MAX) {
      this.#dropped += 1;
      this.#options.observer?.ended(record, NO_TOKENS);
      return;
    }
    const isLarge = record.body.length > BODY_BYTES_MAX;
    if (isLarge && this.#largeCount < LARGE_MAX) this.#redactBody(record);
    else this.#enqueue({ record, requestBody: null, bodies: this.#options.bodies });
  }

  /** Redacts a large body in slices, before the request is recorded like the others. */
  #redactBody(record: RequestRecord): void {
    this.#largeCount += 1;
    this.#large = this.#large
      .then(async () => {
        await nextTurn();
        const { bodies } = this.#options;
        const requestBody = await redactLargeBody(record.body, bodies, nextTurn);
        this.#enqueue({ record, requestBody, bodies });
      })
      .catch((err) => this.#failed(err))
      .finally(() => {
        this.#largeCount -= 1;
      });
  }

  #enqueue(finished: FinishedRequest): void {
    this.#waiting.push(finished);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => this.#turn(), PAUSE_MS);
  }

  /** If requests are left after a turn, the next turn follows without delay. */
  #turn(): void {
    this.#recordWaiting(TURN_MS);
    this.#scheduled = this.#waiting.length > 0;
    if (this.#scheduled) setImmediate(() => this.#turn());
  }

  #recordWaiting(limitMs: number): void {
    const endMs = performance.now() + limitMs;
    let done = 0;
    for (const finished of this.#waiting) {
      this.#record(finished);
      done += 1;
      if (performance.now() >= endMs) break;
    }
    this.#waiting.splice(0, done);
  }

  #record(finished: FinishedRequest): void {
    const { metrics, history, tracing, observer } = this.#options;
    const { record } = finished;
    let tokens = NO_TOKENS;
    try {
      if (record.outcome === "complete" && endsInError(record.answer))
        record.error = "stream_error";
      tokens = countTokens(record);
      metrics.record(record, tokens);
      tracing?.end(record, tokens);
      const costMicros = this.#settle(record, tokens);
      const isModelKnown = metrics.isKnown(record);
      history?.record({ ...historyRow(finished, tokens, isModelKnown), costMicros });
    } catch (err) {
      this.#failed(err);
    } finally {
      observer?.ended(record, tokens);
    }
  }

  /** What the request cost; its key and user have used that. Null: its model has no price. */
  #settle({ request, upstream, lease }: RequestRecord, { usage }: TokenCount): number | null {
    const model = upstream?.priceName ?? request.modelId;
    const costMicros = this.#options.prices?.costMicros(model, usage) ?? null;
    const tokens = (usage?.input ?? 0) + (usage?.output ?? 0);
    lease?.settle({ tokens, costMicros: costMicros ?? 0 });
    return costMicros;
  }

  #failed(err: unknown): void {
    this.#dropped += 1;
    if (performance.now() - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = performance.now();
    this.#options.log.warn({ err, dropped: this.#dropped }, "record.failed");
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
