import { plainAnswer } from "./contentcoding.ts";
import { exchange } from "./exchange.ts";
import { ClientError } from "./failure.ts";
import type { ResponseHead } from "./head.ts";
import type { ForwardProxy } from "./proxy.ts";

export interface GetOptions {
  url: string;
  /** Through which proxy; default none. */
  proxy?: ForwardProxy | undefined;
  headers: Record<string, string>;
  /** Is posted; default: nothing is, it is a GET. */
  body?: Uint8Array;
  /** Longest wait for all of the answer. */
  timeoutMs: number;
  /** Largest body that is read. */
  limitBytes: number;
  /** Aborts the request. */
  signal: AbortSignal;
}

/** A whole answer, whatever its content coding was. */
export interface Answer {
  head: ResponseHead;
  body: Uint8Array;
}

/**
 * Asks for something on a connection of its own, which shows that new ones are accepted. Throws
 * `ClientError`, or the signal's reason.
 */
export async function get(options: GetOptions): Promise<Answer> {
  const { url, proxy, headers, body = null, timeoutMs, limitBytes, signal } = options;
  signal.throwIfAborted();
  const method = body === null ? "GET" : "POST";
  const asked = exchange({ url, proxy, method, headers, body, keepAlive: false });
  const late = new ClientError("timeout", "Reading the answer failed: it took too long.");
  const timer = setTimeout(() => asked.abort(late), timeoutMs);
  const onAbort = () => asked.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const { head, body: plain } = plainAnswer(await asked.head, asked);
    return { head, body: await plain.bytes(limitBytes) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
