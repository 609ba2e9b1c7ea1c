import type { Engine } from "../engine/engine.ts";
import { forward } from "../http/proxy/forward.ts";
import type { SendOutcome, Tap } from "../http/proxy/relay.ts";
import type { Rewrite } from "../http/proxy/rewrite/rewrite.ts";
import { withoutIdleLimit } from "../http/server/listen.ts";
import { callerOf, type Scope } from "../http/server/scope.ts";
import { withDeadline } from "../lib/deadline.ts";
import type { ApiError } from "../wire/error.ts";
import { dialectOf } from "../wire/route.ts";
import type { SupervisedEngine } from "./supervisor/engine.ts";
import { crashedError } from "./supervisor/errors.ts";

/** Sees an answer: its bytes as the engine sent them, and then how it ended. */
export interface AnswerObserver extends Tap {
  /** `reason`: why it had to end. */
  end(status: number, outcome: SendOutcome, reason: ApiError | undefined): void;
}

export interface ProxyOptions {
  engine: SupervisedEngine;
  /** The engine's path. */
  path: string;
  /** The request's body; null for none. */
  body: Uint8Array<ArrayBuffer> | null;
  /** Changes the engine's answer. Default: the client gets it unchanged. */
  rewrite?: Rewrite | undefined;
  /** Sees the engine's answer as it passes. */
  observer?: AnswerObserver | undefined;
  /** Longest wait for a load, and then for the engine's answer to begin. */
  firstByteTimeoutMs: number;
  /** Longest pause inside the answer. */
  idleTimeoutMs: number;
}

/** How long after a broken connection an engine's exit is waited for, to explain the error. */
const EXIT_WAIT_MS_MAX = 2000;

/**
 * Loads an engine if it is not loaded, sends it a request and returns its answer as it arrives. The
 * engine counts as busy until the last byte is sent. Throws what `SupervisedEngine.acquire` and
 * `forward` throw, and `engine_crashed` (502) if the engine ends before its answer begins. If it
 * ends later, the stream ends with the same error.
 */
export async function proxyToEngine(c: Scope, options: ProxyOptions): Promise<Response> {
  const { engine, path, body, rewrite, observer, firstByteTimeoutMs, idleTimeoutMs } = options;
  const { method, headers } = c.req.raw;
  // The client may wait for a load or for other requests of the engine.
  withoutIdleLimit(c);
  const lease =
    engine.lease() ??
    // Bun makes the signal when it is first read.
    (await engine.acquire({ signal: c.req.raw.signal, waitMs: firstByteTimeoutMs }));
  const { engine: loaded, release } = lease;
  let stopReason: ApiError | undefined;
  try {
    const { response, status, sent } = await forward({
      // A translated request has another API, which does not know the query's parameters.
      target: loaded.target(rewrite === undefined ? path + queryOf(c) : path),
      method,
      headers,
      body,
      rewrite,
      tap: observer,
      requestId: c.get("requestId"),
      dialect: dialectOf(c.req.path),
      caller: callerOf(c),
      firstByteTimeoutMs,
      idleTimeoutMs,
      onStop: (reason) => {
        stopReason = reason;
      },
      explain: (failure) => explain(failure, loaded, engine.label),
    });
    c.set("sent", sent);
    sent.finally(release);
    if (observer !== undefined) {
      // The answer need not wait until it is counted.
      void sent.then((outcome) => setImmediate(() => observer.end(status, outcome, stopReason)));
    }
    return response;
  } catch (error) {
    release();
    throw error;
  }
}

/** The request's query without `model`, which engines do not know. */
function queryOf(c: Scope): string {
  if (!c.req.url.includes("?")) return "";
  const query = new URL(c.req.url).searchParams;
  query.delete("model");
  return query.size === 0 ? "" : `?${query}`;
}

/** The failure to show: `engine_crashed` if the engine's process has ended. */
async function explain(failure: ApiError, engine: Engine, label: string): Promise<ApiError> {
  const exit = await withDeadline(engine.exited, { timeoutMs: EXIT_WAIT_MS_MAX });
  const hasCrashed = typeof exit === "object" && !exit.expected;
  return hasCrashed ? crashedError(label, failure, exit.lostWorker) : failure;
}
