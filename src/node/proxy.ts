import type { Engine } from "../engine/launch.ts";
import { forward } from "../http/proxy/forward.ts";
import type { Rewrite } from "../http/proxy/rewrite/rewrite.ts";
import type { AppContext } from "../http/server/app.ts";
import { withoutIdleLimit } from "../http/server/listen.ts";
import type { ApiError } from "../wire/error.ts";
import { dialectOf } from "../wire/route.ts";
import { crashedError } from "./supervisor/failure.ts";
import type { Runner } from "./supervisor/runner.ts";

export interface ProxyOptions {
  runner: Runner;
  /** The engine's path. */
  path: string;
  /** The request's body; null for none. */
  body: Uint8Array<ArrayBuffer> | null;
  /** Makes the client's answer of the engine's; default: it passes unchanged. */
  rewrite?: Rewrite | undefined;
  /** Longest wait for a load, and then for the engine's answer to begin. */
  firstByteTimeoutMs: number;
  /** Longest silence within the answer. */
  idleTimeoutMs: number;
}

/** How long after a broken connection the end of the engine's process may become known. */
const EXIT_KNOWN_MS = 2000;

/**
 * Sends a request to an engine, loading it first if need be, and returns its answer as it comes.
 * The engine counts as busy until the last byte is sent. Throws what `Runner.acquire` and `forward`
 * throw, and `engine_crashed` (502) if the engine ends before its answer begins; later than that
 * the stream ends with the same error.
 */
export async function proxyToEngine(c: AppContext, options: ProxyOptions): Promise<Response> {
  const { runner, path, body, rewrite, firstByteTimeoutMs, idleTimeoutMs } = options;
  const { signal, method, headers } = c.req.raw;
  // Also those without a JSON body may wait for a load, or for what the engine is at.
  withoutIdleLimit(c);
  const { engine, release } = await runner.acquire({ signal, waitMs: firstByteTimeoutMs });
  try {
    const { response, sent } = await forward({
      // The query is the client's API's: it says nothing in another one.
      target: engine.target(rewrite === undefined ? path + queryOf(c) : path),
      method,
      headers,
      body,
      rewrite,
      requestId: c.var.requestId,
      dialect: dialectOf(c.req.path),
      caller: c.req.raw,
      firstByteTimeoutMs,
      idleTimeoutMs,
      explain: (failure) => explain(failure, engine, runner.label),
    });
    c.set("sent", sent);
    sent.finally(release);
    return response;
  } catch (error) {
    release();
    throw error;
  }
}

/** The request's query without `model`, which is ours. */
function queryOf(c: AppContext): string {
  const query = new URL(c.req.url).searchParams;
  query.delete("model");
  return query.size === 0 ? "" : `?${query}`;
}

async function explain(failure: ApiError, engine: Engine, label: string): Promise<ApiError> {
  const timeout = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => timeout.resolve(undefined), EXIT_KNOWN_MS);
  const exit = await Promise.race([engine.exited, timeout.promise]);
  clearTimeout(timer);
  return exit?.expected === false ? crashedError(label, failure) : failure;
}
