import { type FieldsLogger, fieldsLogger, type Logger } from "../../lib/log.ts";
import { HOPS_HEADER } from "../proxy/hops.ts";
import { isProbe } from "./drain.ts";
import { peerOf } from "./peer.ts";
import type { Scope } from "./scope.ts";

/** Longest part of a path or a model's name that is logged: clients choose them. */
const CHARS_MAX = 200;

/** What nodes report to their balancer, each of them several times a minute. */
const NODES_PATH = "/api/nodes/";
/** The dashboard's own files. */
const ASSETS_PATH = "/dashboard/assets/";
/** What balancers ask of a node at each of their checks. */
const CHECKED_PATHS: ReadonlySet<string> = new Set(["/v1/models", "/api/system"]);

/** Logs that a request has ended, with its status and how the sending of its response ended. */
export type RequestLog = (status: number, outcome: unknown) => void;

/**
 * Logs one line for each request, when its response has been sent: at level `info`, and what
 * monitors and nodes ask every few seconds at `debug`.
 */
export class AccessLog {
  readonly #log: Logger;
  readonly #isOn: () => boolean;
  readonly #write: FieldsLogger;

  constructor(log: Logger, isOn: () => boolean) {
    this.#log = log;
    this.#isOn = isOn;
    this.#write = fieldsLogger(log);
  }

  /** A request has come. Undefined: it is not to be logged. */
  begin(scope: Scope): RequestLog | undefined {
    if (!this.#isOn()) return undefined;
    const { path } = scope.req;
    const level = isRoutine(scope) ? "debug" : "info";
    if (!this.#log.isLevelEnabled(level)) return undefined;
    const startedAt = performance.now();
    // The connection does not tell it any more once it is closed.
    const client = peerOf(scope);
    return (status, outcome) => {
      const { method } = scope.req.raw;
      const model = scope.get("model");
      this.#write(
        level,
        {
          request_id: scope.get("requestId"),
          ...{ method, path: path.slice(0, CHARS_MAX), status },
          ms: Math.round(performance.now() - startedAt),
          ...(model === undefined ? {} : { model: model.slice(0, CHARS_MAX) }),
          ...(client === undefined ? {} : { client }),
          ...(outcome === "complete" ? {} : { outcome }),
        },
        "http.request",
      );
    };
  }
}

/** Whether programs send it, whatever people do: every few seconds, or with every page. */
function isRoutine({ req: { path, raw } }: Scope): boolean {
  if (isProbe(path) || path.startsWith(NODES_PATH) || path.startsWith(ASSETS_PATH)) return true;
  return raw.method === "GET" && CHECKED_PATHS.has(path) && raw.headers.has(HOPS_HEADER);
}
