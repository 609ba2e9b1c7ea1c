import { ClientError } from "../../http/client/failure.ts";
import { Setback } from "./failure.ts";
import { type RangeRequest, requestRange } from "./request.ts";
import { RetryLimit, type RetryLimitOptions } from "./retrylimit.ts";

/**
 * Fetches a range of a file into memory, or as much of it as there is. Throws `PullError`, or the
 * signal's reason.
 */
export async function fetchBytes(
  request: RangeRequest & { end: number },
  options: RetryLimitOptions,
): Promise<Uint8Array> {
  const patience = new RetryLimit(options);
  for (;;) {
    try {
      return await once(request);
    } catch (error) {
      if (!(error instanceof Setback)) throw error;
      await patience.after(error, request.source.url, request.signal);
    }
  }
}

async function once(request: RangeRequest & { end: number }): Promise<Uint8Array> {
  const { start, end, signal, idleMs } = request;
  const { exchange, start: came } = await requestRange(request);
  const late = new Setback(`nothing came for ${idleMs} ms`, {});
  const timer = setTimeout(() => exchange.abort(late), idleMs);
  const onAbort = () => exchange.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  // A server without ranges sends all of the file: what comes before is passed over.
  const pieces: Uint8Array[] = [];
  let at = came;
  try {
    for (let piece = await exchange.read(); piece !== undefined; piece = await exchange.read()) {
      timer.refresh();
      const from = Math.max(0, start - at);
      if (from < piece.byteLength) pieces.push(piece.subarray(from, Math.max(from, end - at)));
      at += piece.byteLength;
      if (at >= end) break;
    }
    return Buffer.concat(pieces);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ClientError) throw new Setback(error.message, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    if (!exchange.ended) exchange.abort(new ClientError("broken", "enough"));
  }
}
