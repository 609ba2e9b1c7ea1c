/** The span of another program that a request belongs to. */
export interface RemoteSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** Later versions may have more behind it; version ff is none. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/**
 * Reads a `traceparent` (W3C Trace Context, 3.2). Undefined for none, and for one that is invalid:
 * then a trace begins here.
 */
export function readTraceparent(header: string | null): RemoteSpan | undefined {
  const found = header === null ? null : TRACEPARENT.exec(header);
  if (found === null) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = found;
  if (version === "00" && more !== undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** Writes a `traceparent`. */
export function writeTraceparent({ traceId, spanId, isSampled }: RemoteSpan): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

/** A new id of a trace. */
export function newTraceId(): string {
  return randomHex(16);
}

/** A new id of a span. */
export function newSpanId(): string {
  return randomHex(8);
}

function randomHex(bytes: number): string {
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
  // All zeros mean none.
  return /[^0]/.test(id) ? id : randomHex(bytes);
}
