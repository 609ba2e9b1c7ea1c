import type { HistoryBodies } from "../../config/settings.ts";
import type { NewRequestRow, TokenSource } from "../../db/history/records.ts";
import type { Logger } from "../../lib/log.ts";
import { BODY_BYTES_MAX, keepAnswer, keepSmall, keepWhole } from "./bodies.ts";
import { estimateInput, estimateOutput } from "./estimate.ts";
import type { Metrics } from "./metrics.ts";
import { type RecordedRequest, RequestRecord } from "./record.ts";
import { endsInError, isEventStream, type TokenUsage, usageOf } from "./usage.ts";

export interface RecorderOptions {
  /** Takes finished requests without waiting; absent where there is no history. */
  history: { record(request: NewRequestRow): void } | undefined;
  metrics: Metrics;
  bodies: HistoryBodies;
  log: Logger;
}

/** Of an answer whose body is not kept: enough for what a stream tells at its beginning. */
const HEAD_BYTES = 4096;
const NAME_CHARS_MAX = 256;
/** Ended requests are recorded for this long at once, then others get their turn. */
const TURN_MS = 1;
/** Until the next turn. A turn of its own per request would cost more than the recording. */
const PAUSE_MS = 4;
/** Ended requests that wait to be recorded; beyond, they are counted only. */
const WAITING_MAX = 20_000;
/** Large bodies that wait to be looked through; beyond, requests are recorded without theirs. */
const SLOW_MAX = 16;
const LOG_EVERY_MS = 60_000;

/** A request and what was made of its body already. */
interface Finished {
  record: RequestRecord;
  requestBody: string | null;
}

/**
 * Records every request: in the history, the statistics and the metrics. All work is done after a
 * request's end, in short turns between others; errors are logged and reach nobody.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #headMax: number;
  readonly #onEnd = (record: RequestRecord) => this.#ended(record);
  #waiting: Finished[] = [];
  #scheduled = false;
  /** Bodies that are being looked through, one after the other. */
  #slow: Promise<void> = Promise.resolve();
  #slowCount = 0;
  #dropped = 0;
  #loggedAt = -Infinity;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#headMax = options.bodies === "none" ? HEAD_BYTES : BODY_BYTES_MAX;
  }

  /** Requests that were not recorded since the start because too many ended at once. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Begins the record of a request. */
  begin(request: RecordedRequest, body: Uint8Array): RequestRecord {
    return new RequestRecord({ request, body, headMax: this.#headMax, onEnd: this.#onEnd });
  }

  /** A request was refused before it was known for which model it is. */
  unread(error: unknown): void {
    this.#options.metrics.unread(error);
  }

  /** Settles when everything that has ended is handed to the history. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#slowCount > 0) {
      this.#work(Number.POSITIVE_INFINITY);
      await this.#slow;
    }
  }

  #ended(record: RequestRecord): void {
    if (this.#waiting.length + this.#slowCount >= WAITING_MAX) {
      this.#dropped += 1;
      return;
    }
    const isLarge = record.body.length > BODY_BYTES_MAX;
    if (isLarge && this.#slowCount < SLOW_MAX) this.#endedLarge(record);
    else this.#wait({ record, requestBody: null });
  }

  /** A large body is looked through in slices, before the request is recorded with the others. */
  #endedLarge(record: RequestRecord): void {
    this.#slowCount += 1;
    this.#slow = this.#slow
      .then(async () => {
        await turn();
        const { bodies } = this.#options;
        const requestBody = await keepWhole(record.body, bodies, turn);
        this.#wait({ record, requestBody });
      })
      .catch((err) => this.#failed(err))
      .finally(() => {
        this.#slowCount -= 1;
      });
  }

  #wait(finished: Finished): void {
    this.#waiting.push(finished);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => this.#turn(), PAUSE_MS);
  }

  /** With more to do than fits one turn, others come in between, but no time passes unused. */
  #turn(): void {
    this.#work(TURN_MS);
    this.#scheduled = this.#waiting.length > 0;
    if (this.#scheduled) setImmediate(() => this.#turn());
  }

  #work(limitMs: number): void {
    const endMs = performance.now() + limitMs;
    let done = 0;
    for (const finished of this.#waiting) {
      this.#write(finished);
      done += 1;
      if (performance.now() >= endMs) break;
    }
    this.#waiting.splice(0, done);
  }

  #write(finished: Finished): void {
    const { metrics, history } = this.#options;
    try {
      const { record } = finished;
      if (record.ending === "complete" && endsInError(record.answer)) record.error = "stream_error";
      const { usage, source } = tokensOf(record);
      metrics.record(record, usage);
      history?.record(this.#requestOf(finished, usage, source));
    } catch (err) {
      this.#failed(err);
    }
  }

  #requestOf(
    { record, requestBody }: Finished,
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
      modelKnown: this.#options.metrics.knows(record),
      endpointId: upstream?.id ?? null,
      endpointName: upstream?.name ?? null,
      endpointUrl: upstream?.url ?? null,
      apiKeyId: principal.keyName ?? null,
      clientIp: principal.address ?? null,
      startedAt: record.startedAt,
      completedAt: Math.round(record.startedAt + record.durationMs),
      streamed: streams,
      retries: Math.max(0, record.tries - 1),
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
      requestBody: requestBody ?? keepSmallOnly(body, bodies),
      responseBody: keepAnswer(answer, bodies),
    };
  }

  #failed(err: unknown): void {
    this.#dropped += 1;
    if (performance.now() - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = performance.now();
    this.#options.log.warn({ err, dropped: this.#dropped }, "record.failed");
  }
}

/** An endpoint's answer went out whole, and was no error. */
export function isSuccess({ ending, status, error }: RequestRecord): boolean {
  return ending === "complete" && status !== null && status < 400 && error === null;
}

/** Large bodies come as a text already; of those that policy keeps out there is none. */
function keepSmallOnly(body: Uint8Array, bodies: HistoryBodies): string | null {
  return body.length > BODY_BYTES_MAX ? null : keepSmall(viewOf(body), bodies);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/**
 * Tokens as the answer tells them. Where it does not, of an answer that is no error: estimated
 * from the bytes, see `estimate.ts`; a part that it does tell stays.
 */
function tokensOf(record: RequestRecord): {
  usage: TokenUsage | undefined;
  source: TokenSource | null;
} {
  const { request, body, answer, status, tries } = record;
  const { output: kind } = request.route;
  const none = { usage: undefined, source: null };
  if (tries === 0) return none;
  const told = usageOf(answer);
  const output = told?.output ?? (kind === "numbers" ? 0 : null);
  if (told !== undefined && told.input !== null && output !== null && !wasCut(record)) {
    return { usage: { ...told, output }, source: "usage" };
  }
  // Sound and images are no text, however long they are.
  if (kind === "other") return { usage: told, source: told === undefined ? null : "usage" };
  if (status === null || status >= 400 || answer.bytes === 0) return none;
  const input = told?.input ?? estimateInput(viewOf(body));
  const written = kind === "text" ? Math.max(output ?? 0, estimateOutput(answer)) : 0;
  return { usage: { input, output: written, cached: told?.cached ?? null }, source: "estimate" };
}

/** What a stream said at its beginning of its output does not hold for what came after. */
function wasCut({ ending, answer }: RequestRecord): boolean {
  return ending !== "complete" && isEventStream(answer.head);
}

function errorOf({ ending, status, error }: RequestRecord): string | null {
  if (error !== null || ending !== "complete") return error;
  return status !== null && status >= 400 ? "endpoint_error" : null;
}

/** To the microsecond: more digits are noise, and take room. */
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000) / 1000;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
