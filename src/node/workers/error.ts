import { ClientError, connectionProblem } from "../../http/client/failure.ts";
import { WebSocketRefusal } from "../../http/client/websocket.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { parseJson } from "../../lib/json.ts";

/**
 * Why a worker lends nothing: nothing answers there (`unreachable`, which may pass by itself), or
 * it refuses (`refused`, which somebody has to change).
 */
export class WorkerError extends Error {
  readonly reason: "unreachable" | "refused";
  readonly worker: string;

  constructor(reason: WorkerError["reason"], worker: string, why: string, cause?: unknown) {
    super(`its worker ${worker} ${WORDS[reason]}: ${why}`, { cause });
    this.name = "WorkerError";
    this.reason = reason;
    this.worker = worker;
  }
}

const WORDS = { unreachable: "cannot be reached", refused: "lends nothing" };

/** Statuses of a worker that has too much to do, or is about to end. */
const PASSING = new Set([429, 500, 502, 503, 504]);

/** What a request to a worker threw. */
export function workerFailure(worker: string, cause: unknown): WorkerError {
  if (cause instanceof WorkerError) return cause;
  if (cause instanceof WebSocketRefusal) return workerRefusal(worker, cause.status, cause.body);
  const words = cause instanceof ClientError ? connectionProblem(cause.cause) : undefined;
  const why = words ?? errorMessage(cause).replace(/^Connecting failed: |\.$/g, "");
  return new WorkerError("unreachable", worker, why, cause);
}

/** A worker's answer that is not what was asked for; its own sentence tells why. */
export function workerRefusal(worker: string, status: number, body: string): WorkerError {
  const json = parseJson(body) as { error?: { message?: unknown } } | null | undefined;
  const message = json?.error?.message;
  const said = typeof message === "string" ? message.slice(0, 500) : undefined;
  const why = (said ?? `it answered HTTP ${status}`).replace(/\.$/, "");
  return new WorkerError(PASSING.has(status) ? "unreachable" : "refused", worker, why);
}
