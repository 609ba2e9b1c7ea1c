import type { HistoryBodies } from "../../config/settings.ts";
import type { NewRequestRow, TokenSource } from "../../db/history/records.ts";
import type { Logger } from "../../lib/log.ts";
import { estimateAnswerTokens, estimatePromptTokens } from "./estimate.ts";
import { BODY_BYTES_MAX, redactAnswer, redactLargeBody, redactSmallBody } from "./historybody.ts";
import type { Metrics } from "./metrics.ts";
import { type RecordedRequest, RequestRecord } from "./record.ts";
import { endsInError, isEventStream, readUsage, type TokenUsage } from "./usage.ts";

export interface RecorderOptions {
  /** Queues a row to be written; undefined if there is no history. */
  history: { record(request: NewRequestRow): void } | undefined;
  metrics: Metrics;
  bodies: HistoryBodies;
  log: Logger;
}

/** What is kept of an answer whose body is not kept: enough for the first event of a stream. */
const HEAD_BYTES = 4096;
const NAME_CHARS_MAX = 256;
/** Longest time of one turn, in which requests that ended are recorded. */
const TURN_MS = 1;
/** The delay before a turn, so that it records many requests: a turn has its own cost. */
const PAUSE_MS = 4;
/** Requests that wait to be recorded; further ones are dropped and counted. */
const WAITING_MAX = 20_000;
/** Large bodies that wait to be redacted; further requests are recorded without their bodies. */
const LARGE_MAX = 16;
const LOG_EVERY_MS = 60_000;

/** A request that ended, and its body as history keeps it, if it was a large one. */
interface FinishedRequest {
  record: RequestRecord;
  requestBody: string | null;
}

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
    return new RequestRecord({ request, body, headMax: this.#headMax, onEnd: this.#onEnd });
  }

  /** Counts a request that was refused before its model was known. */
  countUnreadable(error: unknown): void {
    this.#options.metrics.countUnreadable(error);
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
      return;
    }
    const isLarge = record.body.length > BODY_BYTES_MAX;
    if (isLarge && this.#largeCount < LARGE_MAX) this.#redactBody(record);
    else this.#enqueue({ record, requestBody: null });
  }

  /** Redacts a large body in slices, before the request is recorded like the others. */
  #redactBody(record: RequestRecord): void {
    this.#largeCount += 1;
    this.#large = this.#large
      .then(async () => {
        await nextTurn();
        const { bodies } = this.#options;
        const requestBody = await redactLargeBody(record.body, bodies, nextTurn);
        this.#enqueue({ record, requestBody });
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
    const { metrics, history } = this.#options;
    try {
      const { record } = finished;
      if (record.outcome === "complete" && endsInError(record.answer))
        record.error = "stream_error";
      const { usage, source } = tokensOf(record);
      metrics.record(record, usage);
      history?.record(this.#rowOf(finished, usage, source));
    } catch (err) {
      this.#failed(err);
    }
  }

  #rowOf(
    { record, requestBody }: FinishedRequest,
    usage: TokenUsage | undefined,
    source: TokenSource | null,
  ): NewRequestRow {
    const { request, upstream, answer, body } = record;
    const { route, modelId, streams, principal } = request;
    const { bodies } = this.#options;
    return {
      requestId: request.requestId,
      requestType: route.name,
      model: modelId.slice(0, NAME_CHARS_MAX),
      modelKnown: this.#options.metrics.isKnown(record),
      endpointId: upstream?.id ?? null,
      endpointName: upstream?.name ?? null,
      endpointUrl: upstream?.url ?? null,
      apiKeyId: principal.keyName ?? null,
      clientIp: principal.address ?? null,
      startedAt: record.startedAt,
      completedAt: Math.round(record.startedAt + record.durationMs),
      streamed: streams,
      retries: Math.max(0, record.attempts - 1),
      succeeded: isSuccess(record),
      httpStatus: record.status,
      error: errorOf(record),
      queueMs: rounded(record.queueMs),
      firstByteMs: rounded(record.firstByteMs),
      durationMs: rounded(record.durationMs) ?? 0,
      inputTokens: usage?.input ?? null,
      outputTokens: usage?.output ?? null,
      cachedTokens: usage?.cached ?? null,
      tokenSource: source,
      requestBody: requestBody ?? redactSmallOnly(body, bodies),
      responseBody: redactAnswer(answer, bodies),
    };
  }

  #failed(err: unknown): void {
    this.#dropped += 1;
    if (performance.now() - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = performance.now();
    this.#options.log.warn({ err, dropped: this.#dropped }, "record.failed");
  }
}

/** Whether the whole answer of an upstream was sent, and was no error. */
function isSuccess({ outcome, status, error }: RequestRecord): boolean {
  return outcome === "complete" && status !== null && status < 400 && error === null;
}

/** Null for a large body: it was redacted before, or it is not kept. */
function redactSmallOnly(body: Uint8Array, bodies: HistoryBodies): string | null {
  return body.length > BODY_BYTES_MAX ? null : redactSmallBody(viewOf(body), bodies);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/**
 * The token counts of a request: those in the answer; counts that are missing are estimated from
 * the bytes (`estimate.ts`), unless the answer is an error.
 */
function tokensOf(record: RequestRecord): {
  usage: TokenUsage | undefined;
  source: TokenSource | null;
} {
  const { request, body, answer, status, attempts } = record;
  const { output: outputKind } = request.route;
  const none = { usage: undefined, source: null };
  if (attempts === 0) return none;
  const counted = readUsage(answer);
  const output = counted?.output ?? (outputKind === "numbers" ? 0 : null);
  if (counted !== undefined && counted.input !== null && output !== null && !wasCut(record)) {
    return { usage: { ...counted, output }, source: "usage" };
  }
  // The length of sound and images says nothing about tokens.
  if (outputKind === "other")
    return { usage: counted, source: counted === undefined ? null : "usage" };
  if (status === null || status >= 400 || answer.bytes === 0) return none;
  const input = counted?.input ?? estimatePromptTokens(viewOf(body));
  const estimated = outputKind === "text" ? Math.max(output ?? 0, estimateAnswerTokens(answer)) : 0;
  return {
    usage: { input, output: estimated, cached: counted?.cached ?? null },
    source: "estimate",
  };
}

/** Whether a stream broke off: the output count at its beginning is too small then. */
function wasCut({ outcome, answer }: RequestRecord): boolean {
  return outcome !== "complete" && isEventStream(answer.head);
}

function errorOf({ outcome, status, error }: RequestRecord): string | null {
  if (error !== null || outcome !== "complete") return error;
  return status !== null && status >= 400 ? "endpoint_error" : null;
}

/** Rounded to microseconds: further digits are noise, and take space. */
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000) / 1000;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
