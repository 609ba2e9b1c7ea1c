import type { Settings } from "../config/settings.ts";
import { type Forwarded, type ForwardOptions, forward } from "../http/forward.ts";
import type { Logger } from "../lib/log.ts";
import { ApiError } from "../wire/error.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Fleet } from "./fleet.ts";
import type { Monitor } from "./monitor.ts";
import { mayRetry, RETRIES_MAX } from "./retry.ts";
import { select } from "./selection.ts";

/** One inference request on its way to an endpoint. */
export type Dispatched = Omit<
  ForwardOptions,
  "target" | "firstByteTimeoutMs" | "idleTimeoutMs" | "explain"
> & {
  model: string;
  /** Of the endpoint's URL, e.g. `/v1/chat/completions`. */
  pathAndQuery: string;
};

export interface DispatcherOptions {
  fleet: Fleet;
  monitor: Monitor;
  settings: Settings;
  log: Logger;
}

/** How a try went, and whether another endpoint may do better. */
type Outcome = ({ forwarded: Forwarded } | { error: unknown }) & { retry: boolean };

/** Seconds after which a client may ask again for a model that no online endpoint has. */
const RETRY_AFTER_S = 5;

/** Brings requests to endpoints: chooses one, sends, and tries others while nothing has come. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  #turn = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /**
   * Returns an endpoint's answer as it is, whatever its status. Throws `model_not_found`,
   * `no_endpoint`, or how the last endpoint failed (`upstream`, `timeout`).
   */
  async dispatch(request: Dispatched): Promise<Forwarded> {
    const tried: Endpoint[] = [];
    let endpoint = this.#select(request.model, tried) ?? (await this.#selectLater(request.model));
    for (;;) {
      tried.push(endpoint);
      const outcome = await this.#try(endpoint, request);
      const last = tried.length > RETRIES_MAX || !outcome.retry;
      const next = last ? undefined : this.#select(request.model, tried);
      if (next === undefined) {
        if ("error" in outcome) throw outcome.error;
        return outcome.forwarded;
      }
      if ("forwarded" in outcome) await outcome.forwarded.response.body?.cancel();
      endpoint = next;
    }
  }

  #select(model: string, tried: Endpoint[]): Endpoint | undefined {
    this.#turn += 1;
    return select({ candidates: this.#options.fleet.serving(model), tried, turn: this.#turn });
  }

  /** There is none: waits for first checks that still run, then decides what to tell the client. */
  async #selectLater(model: string): Promise<Endpoint> {
    const { fleet, monitor } = this.#options;
    await monitor.settled();
    const endpoint = this.#select(model, []);
    if (endpoint !== undefined) return endpoint;
    const { endpoints } = fleet;
    if (fleet.serving(model).length > 0 || endpoints.every((one) => one.models === undefined)) {
      throw noEndpoint(model, endpoints.length);
    }
    throw modelNotFound(model);
  }

  /** Sends the request to one endpoint. Settles with how that went; never rejects. */
  #try(endpoint: Endpoint, request: Dispatched): Promise<Outcome> {
    const { settings, monitor, log } = this.#options;
    const { firstByteTimeoutMs, idleTimeoutMs } = settings;
    const fields = () => {
      const { requestId, model } = request;
      return { request_id: requestId, endpoint: endpoint.name, model };
    };
    const target = endpoint.target(request.pathAndQuery);
    endpoint.inFlight += 1;
    return forward({ ...request, target, firstByteTimeoutMs, idleTimeoutMs }).then(
      (forwarded) => {
        forwarded.sent.then((outcome) => {
          endpoint.inFlight -= 1;
          if (outcome !== "failed") return;
          log.warn(fields(), "stream.broke");
          monitor.requestBroke(endpoint);
        });
        const { status } = forwarded.response;
        const retry = mayRetry({ status });
        if (retry) log.warn({ ...fields(), status }, "endpoint.refused");
        return { forwarded, retry };
      },
      (error) => {
        endpoint.inFlight -= 1;
        const retry = error instanceof ApiError && mayRetry({ error: error.kind });
        if (retry) {
          log.warn({ ...fields(), err: error, cause: error.cause }, "endpoint.failed");
          monitor.requestBroke(endpoint);
        }
        return { error, retry };
      },
    );
  }
}

/** 404 for a model that no endpoint has ever listed. */
export function modelNotFound(model: string): ApiError {
  const message = `The model \`${model}\` does not exist: no endpoint lists it. See GET /v1/models \
for the models that are served here.`;
  return new ApiError("model_not_found", message, { param: "model" });
}

function noEndpoint(model: string, endpoints: number): ApiError {
  const reason =
    endpoints === 0
      ? "no endpoint is configured. Start llmlb with --endpoint URL"
      : "no endpoint that serves it is online. Try again shortly, or see GET /ready";
  return new ApiError("no_endpoint", `The model \`${model}\` cannot be used now: ${reason}.`, {
    retryAfterS: RETRY_AFTER_S,
  });
}
