import type { Principal } from "../../auth/principal.ts";
import type { SendOutcome } from "../../http/proxy/relay.ts";
import { ApiError } from "../../wire/error.ts";
import type { InferenceRoute } from "../../wire/route.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { Sample } from "./sample.ts";

/** What history is to know of a request from the beginning. */
export interface RecordedRequest {
  readonly requestId: string;
  readonly route: Pick<InferenceRoute, "name" | "output">;
  /** As the balancer lists it. */
  readonly modelId: string;
  /** Whether an event stream was asked for. */
  readonly streams: boolean;
  readonly principal: Pick<Principal, "keyName" | "address">;
}

/** How a request ended. */
export type Ending =
  /** All of an endpoint's answer has gone out, whatever its status. */
  | "complete"
  /** The answer broke off. */
  | "failed"
  /** The client left. */
  | "cancelled"
  /** There was no answer of an endpoint, but an error of ours. */
  | "refused";

export interface RequestRecordOptions {
  request: RecordedRequest;
  body: Uint8Array;
  /** Bytes of the answer's beginning that are kept. */
  headMax: number;
  /** Called once, at the request's end. */
  onEnd(record: RequestRecord): void;
}

/**
 * One request while it is under way: what happens to it is noted here, and nothing else is done
 * before its end. None of the methods throws; those called after the end do nothing.
 */
export class RequestRecord {
  readonly request: RecordedRequest;
  /** Its body, or what is to be kept of it. */
  readonly body: Uint8Array;
  /** Unix ms. */
  readonly startedAt = Date.now();
  readonly #startMs = performance.now();
  readonly #headMax: number;
  readonly #onEnd: (record: RequestRecord) => void;
  /** What is kept of the answer. */
  answer: Sample;
  /** The upstream that it was sent to last. */
  upstream: Pick<Upstream, "id" | "name" | "url"> | undefined;
  /** Upstreams that it was sent to. */
  tries = 0;
  queueMs: number | null = null;
  firstByteMs: number | null = null;
  durationMs = 0;
  /** What the client got; null when it left before. */
  status: number | null = null;
  error: string | null = null;
  ending: Ending | undefined;

  constructor({ request, body, headMax, onEnd }: RequestRecordOptions) {
    this.request = request;
    this.body = body;
    this.#headMax = headMax;
    this.#onEnd = onEnd;
    this.answer = new Sample(headMax);
  }

  /** It waited so long for a slot; repeated waits add up. */
  waited(ms: number): void {
    this.queueMs = (this.queueMs ?? 0) + ms;
  }

  /** It goes to an upstream now; what another one answered before does not count. */
  sent(upstream: Pick<Upstream, "id" | "name" | "url">): void {
    this.upstream = upstream;
    this.tries += 1;
    if (this.answer.bytes > 0) this.answer = new Sample(this.#headMax);
  }

  /** Bytes of the endpoint's answer pass by. They are copied in part, and not changed. */
  push(bytes: Uint8Array): void {
    this.firstByteMs ??= performance.now() - this.#startMs;
    if (this.ending === undefined) this.answer.push(bytes);
  }

  /** The endpoint's answer goes to the client; `sent` settles when it is there. */
  answered(status: number, sent: Promise<SendOutcome>): void {
    this.status = status;
    this.firstByteMs ??= performance.now() - this.#startMs;
    sent.then((outcome) => this.ended(outcome));
  }

  /** The answer was sent, or not. */
  ended(outcome: SendOutcome): void {
    const error = { complete: null, failed: "stream_broke", cancelled: "client_closed" }[outcome];
    this.#end(outcome, error);
  }

  /** An error goes to the client instead of an answer. */
  refused(error: unknown): void {
    const known = error instanceof ApiError ? error : undefined;
    if (known?.kind === "client_closed") {
      this.ended("cancelled");
      return;
    }
    if (this.ending === undefined) this.status = known?.status ?? 500;
    this.#end("refused", known?.code ?? "internal");
  }

  #end(ending: Ending, error: string | null): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    this.error = error;
    this.durationMs = performance.now() - this.#startMs;
    this.#onEnd(this);
  }
}
