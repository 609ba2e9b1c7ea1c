import { ExchangeLimit } from "../../http/client/exchangelimit.ts";
import { ClientError } from "../../http/client/failure.ts";
import { TransientError } from "./error.ts";
import { type RangeRequest, requestRange } from "./rangerequest.ts";
import { RetryLimit, type RetryLimitOptions } from "./retrylimit.ts";

/**
 * Fetches a range of a file into memory, or as much of it as there is. Throws `PullError`, or the
 * signal's reason.
 */
export async function fetchBytes(
  request: RangeRequest & { end: number },
  options: RetryLimitOptions,
): Promise<Uint8Array> {
  const retryLimit = new RetryLimit(options);
  for (;;) {
    try {
      return await fetchOnce(request);
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      await retryLimit.after(error, request.source.url, request.signal);
    }
  }
}

async function fetchOnce(request: RangeRequest & { end: number }): Promise<Uint8Array> {
  const { start, end, signal, idleMs } = request;
  const { exchange, start: came } = await requestRange(request);
  const error = new TransientError(`nothing came for ${idleMs} ms`, {});
  using limit = new ExchangeLimit(exchange, { signal, timeout: { ms: idleMs, error } });
  // A server without ranges sends the whole file: bytes before the range are skipped.
  const pieces: Uint8Array[] = [];
  let at = came;
  try {
    for (let piece = await exchange.read(); piece !== undefined; piece = await exchange.read()) {
      limit.refresh();
      const from = Math.max(0, start - at);
      if (from < piece.byteLength) pieces.push(piece.subarray(from, Math.max(from, end - at)));
      at += piece.byteLength;
      if (at >= end) break;
    }
    return Buffer.concat(pieces);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ClientError) throw new TransientError(error.message, { cause: error });
    throw error;
  } finally {
    if (!exchange.ended) exchange.abort(new ClientError("broken", "enough"));
  }
}
