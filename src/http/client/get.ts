import { plainAnswer } from "./contentcoding.ts";
import { exchange } from "./exchange.ts";
import { ExchangeLimit } from "./exchangelimit.ts";
import { ClientError } from "./failure.ts";
import type { ResponseHead } from "./head.ts";
import type { ForwardProxy } from "./proxy.ts";

export interface GetOptions {
  url: string;
  /** As in `ClientRequest`. */
  unix?: string | undefined;
  /** Default: no proxy. */
  proxy?: ForwardProxy | undefined;
  /** As in `Route`. */
  guarded?: boolean | undefined;
  /** As in `Route`. */
  fingerprint?: string | undefined;
  headers: Record<string, string>;
  /** With a body, the request is a POST. Default: a GET. */
  body?: Uint8Array;
  /** Longest wait for the whole answer. */
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
 * Sends a request on a new connection, which also proves that the server accepts new ones. Returns
 * the whole answer. Throws `ClientError`, or the signal's reason.
 */
export async function get(options: GetOptions): Promise<Answer> {
  const { url, unix, proxy, guarded, fingerprint, headers, body = null } = options;
  const { timeoutMs, limitBytes, signal } = options;
  signal.throwIfAborted();
  const method = body === null ? "GET" : "POST";
  const route = { proxy, guarded, fingerprint };
  const sent = exchange({ url, unix, ...route, method, headers, body, keepAlive: false });
  const error = new ClientError("timeout", "Reading the answer failed: it took too long.");
  using _ = new ExchangeLimit(sent, { signal, timeout: { ms: timeoutMs, error } });
  const { head, body: plain } = plainAnswer(await sent.head, sent);
  return { head, body: await plain.bytes(limitBytes) };
}
