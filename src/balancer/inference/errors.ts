import { ApiError } from "../../wire/error.ts";

/** `Retry-After` where nothing better is known. */
const RETRY_AFTER_S = 5;

/** 404 for a model that no endpoint has ever listed. */
export function modelNotFound(model: string): ApiError {
  const message = `The model \`${shown(model)}\` does not exist: no endpoint lists it. See GET \
/v1/models for the models that are served here.`;
  return new ApiError("model_not_found", message, { param: "model" });
}

/** 503 for a model of which no endpoint is online. */
export function noEndpoint(model: string, endpoints: number): ApiError {
  const reason =
    endpoints === 0
      ? "no endpoint is configured. Start llmlb with --endpoint URL"
      : "no endpoint that serves it is online and in use. Try again shortly, or see GET /ready";
  return new ApiError(
    "no_endpoint",
    `The model \`${shown(model)}\` cannot be used now: ${reason}.`,
    {
      retryAfterS: RETRY_AFTER_S,
    },
  );
}

/** 429 for a request that finds the queue full. */
export function queueFull(model: string): ApiError {
  const message = `The request for \`${shown(model)}\` cannot wait: too many wait already. Try \
again later, or raise --queue-max.`;
  return new ApiError("rate_limited", message, { code: "queue_full", retryAfterS: RETRY_AFTER_S });
}

/** 504 for a request that got no slot within the queue's time-out. */
export function queueTimeout(model: string, waitedMs: number): ApiError {
  const seconds = (waitedMs / 1000).toFixed(1);
  const message = `The request for \`${shown(model)}\` waited ${seconds} s for an endpoint with a \
free slot: none got free. Try again later, or add endpoints.`;
  return new ApiError("timeout", message, { code: "queue_timeout", retryAfterS: RETRY_AFTER_S });
}

/** 503 for requests that wait when the process ends. */
export function closing(): ApiError {
  return new ApiError("draining", "llmlb is shutting down: send the request again shortly.", {
    retryAfterS: RETRY_AFTER_S,
  });
}

/** 499 for a client that left while it waited; only logs see it. */
export function clientLeft(): ApiError {
  return new ApiError("client_closed", "The request was given up: its client left the queue.");
}

/** A model's name, cut: clients may write anything. */
function shown(model: string): string {
  return model.slice(0, 200);
}
