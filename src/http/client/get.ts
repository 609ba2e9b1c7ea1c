import { exchange } from "./exchange.ts";
import { ClientError } from "./failure.ts";
import type { ResponseHead } from "./head.ts";

export interface GetOptions {
  url: string;
  headers: Record<string, string>;
  /** Longest wait for all of the answer. */
  timeoutMs: number;
  /** Largest body that is read. */
  limitBytes: number;
  /** Aborts the request. */
  signal: AbortSignal;
}

/** A whole answer. */
export interface Answer {
  head: ResponseHead;
  body: Uint8Array;
}

/**
 * Asks for something on a connection of its own, which shows that new ones are accepted. Throws
 * `ClientError`, or the signal's reason.
 */
export async function get(options: GetOptions): Promise<Answer> {
  const { url, headers, timeoutMs, limitBytes, signal } = options;
  signal.throwIfAborted();
  const asked = exchange({ url, method: "GET", headers, body: null, keepAlive: false });
  const late = new ClientError("timeout", "Reading the answer failed: it took too long.");
  const timer = setTimeout(() => asked.abort(late), timeoutMs);
  const onAbort = () => asked.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const head = await asked.head;
    return { head, body: await asked.bytes(limitBytes) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
