import type { Principal } from "../../http/server/principal.ts";
import type { Scope } from "../../http/server/scope.ts";
import type { Dialect } from "../../wire/error.ts";
import type { InferenceRoute } from "../../wire/route.ts";
import type { Lease } from "../limits/usagelimits.ts";
import type { ProviderModel } from "../providers/model.ts";
import type { RecordedRequest, RequestRecord } from "../record/record.ts";
import type { Requirement } from "../routing/slotrequest.ts";
import type { RequestTrace } from "../tracing/trace.ts";
import type { Endpoint } from "../upstream/endpoint.ts";

/**
 * One client request on its way. It is made once and goes through all stations of the pipeline;
 * what a station finds out is written here, for those after it.
 */
export class RequestContext implements RecordedRequest {
  readonly scope: Scope;
  readonly route: InferenceRoute;
  readonly requestId: string;
  /** Who asks. */
  readonly principal: Principal;
  /** The model as the client calls it. */
  model = "";
  /** The model as the balancer lists it. */
  modelId = "";
  /** The client wants the answer as a stream of events. */
  streams = false;
  /** The provider's model that the client named by its prefix; undefined: a model of endpoints. */
  provider: ProviderModel | undefined;
  /** There are images in the request. */
  hasImages = false;
  /** The endpoint that the client named for it; undefined: any that has the model. */
  pin: Endpoint | undefined;
  /** What an endpoint must have besides the model. */
  requirement: Requirement<Endpoint> | undefined;
  /** An answer must have begun by then (the clock of the routing). */
  deadlineMs = Number.POSITIVE_INFINITY;
  /** What its trace is to tell; undefined: it has none. */
  trace: RequestTrace | undefined;
  /** What it has taken of its key's and user's limits; undefined: they have none. */
  lease: Lease | undefined;
  /** What history is to know of the request; undefined until it was read. */
  record: RequestRecord | undefined;

  constructor(scope: Scope, route: InferenceRoute, principal: Principal) {
    this.scope = scope;
    this.route = route;
    this.requestId = scope.get("requestId");
    this.principal = principal;
  }

  /** The client's request, whose `signal` aborts when the client leaves. */
  get client(): Request {
    return this.scope.req.raw;
  }

  get headers(): Headers {
    return this.scope.req.raw.headers;
  }

  get dialect(): Dialect {
    return this.route.dialect;
  }

  /** The route's path with the query of the client's URL. */
  get pathAndQuery(): string {
    return this.route.path + queryOf(this.scope.req.url);
  }
}

/**
 * The query of a URL with its question mark; "" for none. A client's key in it (`key`, as Google's
 * clients send it) is left out: it is for this balancer alone.
 */
export function queryOf(url: string): string {
  const start = url.indexOf("?");
  if (start === -1) return "";
  const end = url.indexOf("#", start);
  const query = end === -1 ? url.slice(start) : url.slice(start, end);
  // The name may be written with escapes as well.
  if (!/key|%/i.test(query)) return query;
  const isKey = (field: string) => new URLSearchParams(field).has("key");
  const kept = query
    .slice(1)
    .split("&")
    .filter((field) => !isKey(field));
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}
