import type { RequestDetail } from "../../../wire/history.ts";

/** A part of a request's time. */
export interface TimeSpan {
  kind: "queue" | "attempt" | "stream" | "answer";
  /** Of an attempt: the endpoint's name. */
  name: string;
  /** From the beginning of the request. */
  fromMs: number;
  toMs: number;
  /** Why it came to nothing; null if it did not. */
  reason: string | null;
}

type Timed = Pick<
  RequestDetail,
  "queue_ms" | "attempts" | "first_byte_ms" | "duration_ms" | "streamed" | "error"
>;

/**
 * What a request's time consists of, in order: waiting for a slot; each attempt, until the next one
 * begins or the answer does; the answer, from its first byte to its last.
 */
export function spansOf(request: Timed): TimeSpan[] {
  const { queue_ms: queueMs, attempts, first_byte_ms: firstMs, duration_ms: totalMs } = request;
  const spans: TimeSpan[] = [];
  type More = Partial<Pick<TimeSpan, "name" | "reason">>;
  const add = (kind: TimeSpan["kind"], fromMs: number, toMs: number, more: More = {}) => {
    spans.push({ kind, name: "", fromMs, toMs: Math.max(fromMs, toMs), reason: null, ...more });
  };
  const isRefused = attempts.length === 0 && request.error !== null;
  if (queueMs !== null && queueMs > 0) {
    add("queue", 0, queueMs, isRefused ? { reason: request.error } : {});
  }
  for (const [i, { endpoint_name: name, start_ms, error: reason }] of attempts.entries()) {
    const next = attempts[i + 1]?.start_ms ?? undefined;
    const toMs = next ?? (i === attempts.length - 1 ? (firstMs ?? totalMs) : totalMs);
    add("attempt", Math.min(start_ms ?? 0, toMs), toMs, { name, reason });
  }
  if (firstMs !== null) {
    // The answer to an attempt that failed is only told of that.
    const isRefusal = (attempts.at(-1)?.error ?? null) !== null;
    const kind = request.streamed && !isRefusal ? "stream" : "answer";
    add(kind, firstMs, totalMs, { reason: isRefusal ? null : request.error });
  }
  return spans;
}
