import { ApiError } from "../../wire/error.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { UpstreamPool } from "../upstream/pool.ts";
import type { RequestContext } from "./context.ts";

/** The header by which a request names the endpoint that shall serve it. */
const PIN_HEADER = "x-llmlb-endpoint";

/**
 * The endpoint that a request is for, by its name or id, written as answers tell it
 * (`servedby.ts`); undefined: the balancer chooses. Throws 403 for who may not see endpoints, 404
 * where there is none of that name, 400 if it has not got the model.
 */
export function pinOf(
  { headers, principal, model, modelId, provider }: RequestContext,
  pool: UpstreamPool,
): Endpoint | undefined {
  const text = headers.get(PIN_HEADER);
  if (text === null) return undefined;
  const name = decoded(text);
  const shown = name.slice(0, 200);
  if (!principal.permissions.has("endpoints.read")) {
    const message = `The request was refused: it names an endpoint (${PIN_HEADER}), for which the \
permission endpoints.read is needed. Leave the header out.`;
    throw new ApiError("forbidden", message, { code: "endpoint_not_allowed" });
  }
  const endpoint = pool.get(name) ?? pool.endpoints.find((one) => one.name === name);
  if (endpoint === undefined) {
    const message = `The endpoint '${shown}' (${PIN_HEADER}) does not exist: see GET \
/api/endpoints.`;
    throw new ApiError("not_found", message, { code: "endpoint_not_found" });
  }
  if (provider !== undefined || !pool.serving(modelId).includes(endpoint)) {
    const message = `The endpoint '${shown}' (${PIN_HEADER}) does not serve the model \
'${model.slice(0, 200)}': see GET /v1/models for those that do.`;
    throw new ApiError("invalid_request", message, { code: "endpoint_lacks_model" });
  }
  return endpoint;
}

/** What a request needs that is for one endpoint, besides what it needs anyway. */
export function atEndpoint(
  endpoint: Endpoint,
  other: Requirement<Endpoint> | undefined,
): Requirement<Endpoint> {
  return {
    key: `${other?.key ?? ""} at ${endpoint.id}`,
    isMetBy: (one, model) => one === endpoint && (other?.isMetBy(one, model) ?? true),
  };
}

/** 503 where the endpoint that a request is for takes none. */
export function pinUnavailable({ name }: Endpoint, model: string): ApiError {
  const message = `The model \`${model.slice(0, 200)}\` cannot be used at '${name}' now: that \
endpoint does not take requests for it. Try again shortly, or leave out ${PIN_HEADER}.`;
  return new ApiError("no_endpoint", message);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
