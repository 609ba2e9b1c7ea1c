import type { ForwardTarget } from "../../http/proxy/forward.ts";
import type { Slot } from "../upstream/upstream.ts";
import { type TracedAttempt, TracedSlot } from "./tracedslot.ts";
import { newSpanId, newTraceId, type RemoteSpan, writeTraceparent } from "./traceparent.ts";

/** A wait of a request, by `performance.now()`. */
export interface TracedWait {
  /** For a slot of an endpoint that is up, or for an endpoint to be up. */
  readonly for: "slot" | "endpoint";
  readonly startMs: number;
  readonly endMs: number;
}

export interface RequestTraceOptions {
  /** The client's span that the request belongs to. */
  parent: RemoteSpan | undefined;
  /** The client's `tracestate`. */
  state: string | null;
  /** Of the URL that was asked. */
  scheme: string;
  /** Whether the trace is told at all, decided by its id and its parent. */
  isSampled(traceId: string, parent: RemoteSpan | undefined): boolean;
}

/**
 * What a trace is to tell of one request beside its record. While the request runs, facts are only
 * noted here; the spans are made after its end.
 */
export class RequestTrace {
  readonly traceId: string;
  /** Of the request's own span. */
  readonly spanId = newSpanId();
  readonly parent: RemoteSpan | undefined;
  readonly state: string | null;
  readonly isSampled: boolean;
  readonly scheme: string;
  readonly startMs = performance.now();
  /** What `performance.now()` lacks to unix time. */
  readonly offsetMs = Date.now() - this.startMs;
  readonly waits: TracedWait[] = [];
  readonly attempts: TracedAttempt[] = [];

  constructor({ parent, state, scheme, isSampled }: RequestTraceOptions) {
    this.scheme = scheme;
    this.parent = parent;
    this.state = parent === undefined ? null : state;
    this.traceId = parent?.traceId ?? newTraceId();
    this.isSampled = isSampled(this.traceId, parent);
  }

  /** It has waited until now. */
  waited(ms: number, what: TracedWait["for"]): void {
    const endMs = performance.now();
    this.waits.push({ for: what, startMs: endMs - ms, endMs });
  }

  /** An attempt begins; the same slot, which notes how that goes. */
  attempt(slot: Slot, model: string): Slot {
    const { upstream } = slot;
    const spanId = newSpanId();
    const attempt: TracedAttempt = { spanId, upstream, model, startMs: performance.now() };
    this.attempts.push(attempt);
    return new TracedSlot(slot, attempt);
  }

  /** The same target; what it is sent belongs to the attempt that began last. */
  onward(target: ForwardTarget): ForwardTarget {
    const spanId = this.attempts.at(-1)?.spanId ?? this.spanId;
    const traceparent = writeTraceparent({ ...this, spanId });
    // A state without a valid parent is nobody's.
    const tracestate = this.state === null ? {} : { tracestate: this.state };
    return { ...target, headers: { ...target.headers, traceparent, ...tracestate } };
  }
}
