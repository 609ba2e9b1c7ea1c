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
  /** Of an attempt at an answer that broke and went on: how many tokens it gave. */
  tokens: number | null;
}

type Timed = Pick<
  RequestDetail,
  "queue_ms" | "attempts" | "first_byte_ms" | "duration_ms" | "streamed" | "error"
>;

/**
 * What a request's time consists of, in order: waiting for a slot; each attempt, until the next one
 * begins or the answer does; the answer, from its first byte to its last. An attempt that goes on
 * with an answer lasts until that ends, or breaks once more.
 */
export function spansOf(request: Timed): TimeSpan[] {
  const { queue_ms: queueMs, attempts, first_byte_ms: firstMs, duration_ms: totalMs } = request;
  const spans: TimeSpan[] = [];
  type More = Partial<Pick<TimeSpan, "name" | "reason" | "tokens">>;
  const add = (kind: TimeSpan["kind"], fromMs: number, toMs: number, more: More = {}) => {
    const span = { kind, name: "", fromMs, toMs: Math.max(fromMs, toMs) };
    spans.push({ ...span, reason: null, tokens: null, ...more });
  };
  const isRefused = attempts.length === 0 && request.error !== null;
  if (queueMs !== null && queueMs > 0) {
    add("queue", 0, queueMs, isRefused ? { reason: request.error } : {});
  }
  for (const [i, { endpoint_name: name, start_ms, error: reason, tokens }] of attempts.entries()) {
    const next = attempts[i + 1]?.start_ms ?? undefined;
    const answerMs = i === attempts.length - 1 && tokens === null ? firstMs : null;
    const toMs = next ?? answerMs ?? totalMs;
    add("attempt", Math.min(start_ms ?? 0, toMs), toMs, { name, reason, tokens });
  }
  if (firstMs !== null) {
    // The answer to an attempt that failed is only told of that.
    const isRefusal = (attempts.at(-1)?.error ?? null) !== null;
    const kind = request.streamed && !isRefusal ? "stream" : "answer";
    add(kind, firstMs, totalMs, { reason: isRefusal ? null : request.error });
  }
  return spans;
}
