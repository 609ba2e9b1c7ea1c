import type { RequestAttempt } from "../../db/history/records.ts";
import type { SendOutcome } from "../../http/proxy/relay.ts";
import type { Principal } from "../../http/server/principal.ts";
import { ApiError } from "../../wire/error.ts";
import type { InferenceRoute } from "../../wire/route.ts";
import type { Lease } from "../limits/usagelimits.ts";
import type { RequestTrace } from "../tracing/trace.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { AnswerSample } from "./answersample.ts";

/** What a record has of its request from the beginning. */
export interface RecordedRequest {
  readonly requestId: string;
  readonly route: Pick<InferenceRoute, "name" | "path" | "output" | "capability">;
  /** The model as the balancer lists it. */
  readonly modelId: string;
  /** Whether the client wants a stream of events. */
  readonly streams: boolean;
  readonly principal: Pick<Principal, "keyId" | "address"> &
    Partial<Pick<Principal, "key" | "user">>;
  /** Its headers, of which the name of the client's program is kept. */
  readonly headers?: Pick<Headers, "get">;
  /** Undefined: it is not traced. */
  readonly trace?: RequestTrace | undefined;
}

/** What a record has of an upstream. */
type RecordedUpstream = Pick<Upstream, "id" | "name" | "url" | "telemetryName" | "priceName">;

/** How a request ended. */
export type RequestOutcome =
  /** All of an upstream's answer was sent, whatever its status. */
  | "complete"
  /** The answer broke off. */
  | "failed"
  /** The client closed the connection. */
  | "cancelled"
  /** The balancer answered with an error of its own. */
  | "refused";

export interface RequestRecordOptions {
  request: RecordedRequest;
  body: Uint8Array;
  /** Bytes of the answer's beginning that are kept. */
  headMax: number;
  /** Called once, at the request's end. */
  onEnd(record: RequestRecord): void;
}

/** What the history tells of an answer that was not sent whole. */
const ERRORS: Record<SendOutcome, string | null> = {
  complete: null,
  failed: "stream_broke",
  cancelled: "client_closed",
  stopped: "draining",
};

/**
 * What history and metrics need of one request. While the request runs, facts are only noted here;
 * the work is done after its end. No method throws; after the end, methods do nothing.
 */
export class RequestRecord {
  readonly request: RecordedRequest;
  /** Its body, or the part of it that history keeps. */
  readonly body: Uint8Array;
  /** Unix ms. */
  readonly startedAt = Date.now();
  /** By `performance.now()`. */
  readonly startMs = performance.now();
  readonly #headMax: number;
  readonly #onEnd: (record: RequestRecord) => void;
  /** What it has taken of limits. */
  lease: Lease | undefined;
  /** The parts of the answer that are kept. */
  answer: AnswerSample;
  /** The upstream of the last attempt. */
  upstream: RecordedUpstream | undefined;
  attempts = 0;
  /** The attempts before the last one; undefined without any. */
  earlier: RequestAttempt[] | undefined;
  /** When the last attempt began, in ms from the start. */
  attemptMs = 0;
  /** Why the last attempt failed, as far as it is known. */
  attemptError: string | null = null;
  /** Tokens of the answer that the last attempt gave before it broke; null: none, or it did not. */
  #attemptTokens: number | null = null;
  /** Tokens that all attempts gave which broke and were gone on with. */
  brokenTokens = 0;
  /** The answer went on at another upstream. */
  hasGoneOn = false;
  queueMs: number | null = null;
  firstByteMs: number | null = null;
  /** When a stream's first content came, signs of life aside. */
  firstTokenMs: number | null = null;
  durationMs = 0;
  /** The status that the client got; null if the client left before. */
  status: number | null = null;
  error: string | null = null;
  outcome: RequestOutcome | undefined;

  constructor({ request, body, headMax, onEnd }: RequestRecordOptions) {
    this.request = request;
    this.body = body;
    this.#headMax = headMax;
    this.#onEnd = onEnd;
    this.answer = new AnswerSample(headMax);
  }

  /** It waited for a slot; the times of several waits are added. */
  waited(ms: number): void {
    this.queueMs = (this.queueMs ?? 0) + ms;
  }

  /** An attempt begins. The answer of an earlier one is dropped, unless it `goesOn`. */
  sent(upstream: RecordedUpstream, goesOn = false): void {
    if (this.attempts > 0) this.#keepAttempt();
    this.upstream = upstream;
    this.attempts += 1;
    this.attemptMs = performance.now() - this.startMs;
    if (this.answer.bytes > 0 && !goesOn) this.answer = new AnswerSample(this.#headMax);
  }

  /** The last attempt failed: its status, or the code of its error. */
  attemptFailed(reason: string): void {
    this.attemptError = reason;
  }

  /** The last attempt broke behind its first content, when the answer had so many tokens in all. */
  attemptBroke(reason: string, tokens: number): void {
    this.attemptError = reason;
    this.#attemptTokens = Math.max(0, tokens - this.brokenTokens);
    this.brokenTokens = tokens;
  }

  /** Another upstream goes on with the answer. */
  wentOn(): void {
    this.hasGoneOn = true;
  }

  /** A piece of the answer arrived. It is not changed, and what is kept of it is copied. */
  push(bytes: Uint8Array): void {
    this.firstByteMs ??= performance.now() - this.startMs;
    if (this.outcome === undefined) this.answer.push(bytes);
  }

  /** A stream has its first content. */
  began(): void {
    this.firstTokenMs ??= performance.now() - this.startMs;
  }

  /** The answer goes to the client; `sent` settles after its last byte. */
  answered(status: number, sent: Promise<SendOutcome>): void {
    this.status = status;
    this.firstByteMs ??= performance.now() - this.startMs;
    sent.then((outcome) => this.ended(outcome));
  }

  /** The answer was sent, or broke off. */
  ended(outcome: SendOutcome): void {
    this.#end(outcome === "stopped" ? "failed" : outcome, ERRORS[outcome]);
  }

  /** The client gets an error of the balancer instead of an answer. */
  refused(error: unknown): void {
    const apiError = error instanceof ApiError ? error : undefined;
    if (apiError?.kind === "client_closed") {
      this.ended("cancelled");
      return;
    }
    if (this.outcome === undefined) this.status = apiError?.status ?? 500;
    this.#end("refused", apiError?.code ?? "internal");
  }

  #keepAttempt(): void {
    const { id = "", name = "" } = this.upstream ?? {};
    const [startMs, error, tokens] = [this.attemptMs, this.attemptError, this.#attemptTokens];
    const attempt = { id, name, startMs, error, ...(tokens === null ? {} : { tokens }) };
    this.#attemptTokens = null;
    if (this.earlier === undefined) this.earlier = [attempt];
    else this.earlier.push(attempt);
    this.attemptError = null;
  }

  #end(ending: RequestOutcome, error: string | null): void {
    if (this.outcome !== undefined) return;
    this.outcome = ending;
    this.error = error;
    this.durationMs = performance.now() - this.startMs;
    this.lease?.end();
    this.#onEnd(this);
  }
}
