import { endOfTurn } from "../../lib/eventloop.ts";
import { setRequestId } from "../proxy/headers.ts";
import type { Hops } from "../proxy/hops.ts";
import type { AccessLog } from "./accesslog.ts";
import type { BodyMemory } from "./bodymemory.ts";
import { setBrowserHeaders } from "./browserheaders.ts";
import type { Drain } from "./drain.ts";
import type { HostCheck } from "./host.ts";
import { Origins } from "./origin.ts";
import { calledOrigin } from "./peer.ts";
import type { Auditor, Authorise, MatchedRoutes, RequestHandler, Scope } from "./scope.ts";
import type { TrustedProxies } from "./trustedproxies.ts";

export interface DoorOptions {
  drain: Drain;
  /** The host names that requests may use. */
  hosts: HostCheck;
  /** The origins of web pages that may use the server. Default: none. */
  origins?: Origins | undefined;
  /** The reverse proxies whose word on their clients counts. Default: none. */
  proxies?: TrustedProxies | undefined;
  /** Keeps requests from going round. Default: they may. */
  hops?: Hops | undefined;
  /** Default: every request may go on. */
  authorise?: Authorise | undefined;
  /** Default: nobody keeps book of changes and refusals. */
  auditor?: Auditor | undefined;
  /** Bounds the memory of all requests' bodies. Default: nothing does. */
  bodies?: BodyMemory | undefined;
  /** Default: requests are not logged. */
  access?: AccessLog | undefined;
  /** Makes the error response of what was thrown. */
  failed(thrown: unknown, scope: Scope): Response;
}

const NO_ROUTES: MatchedRoutes = () => [];

/**
 * The stations that every request passes, whether the router or the fast path answers it:
 *
 * 1. It gets its id.
 * 2. Its host name is checked (`HostCheck`), that no page sent it which may not (`Origins`), and
 *    that it has not been here before (`Hops`).
 * 3. It counts as running; a new one is refused while draining (`Drain`).
 * 4. `authorise` decides about access; that a change begins is kept (`Auditor`).
 * 5. The handler answers, or the draining ends (`Drain`). Whatever was thrown since 2 becomes an
 *    error response. Changes and refusals are recorded (`Auditor`).
 * 6. Pages of allowed origins may read the response (`Origins`).
 * 7. It stops counting as soon as its body is sent, and gives back what it took of the memory for
 *    bodies (`BodyMemory`); its id and what browsers need to know are in the response.
 * 8. It is logged once its body is sent (`AccessLog`).
 * 9. Responses of one turn of the event loop leave together (`endOfTurn`).
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #origins: Origins;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#origins = options.origins ?? new Origins([]);
  }

  /** Takes a request past all stations and returns its response. Never rejects. */
  async pass(
    scope: Scope,
    handler: RequestHandler,
    routes: MatchedRoutes = NO_ROUTES,
  ): Promise<Response> {
    const { drain, hosts, hops, proxies, auditor, bodies, failed, access } = this.#options;
    const request = scope.req.raw;
    const requestId = requestIdOf(request);
    scope.set("requestId", requestId);
    scope.set("drain", drain);
    if (proxies !== undefined) scope.set("proxies", proxies);
    if (bodies !== undefined) scope.set("bodies", bodies);
    const logged = access?.begin(scope);
    let leave: (() => void) | undefined;
    let response: Response;
    try {
      hosts.require(request);
      this.#origins.require(request, scope.req.path, () => calledOrigin(scope));
      hops?.require(request);
      const answer = Promise.withResolvers<Response>();
      leave = drain.enter(scope.req.path, answer.reject);
      const admission = this.#admit(scope, routes);
      if (admission !== undefined) {
        // Nobody waits for the answer yet, should draining end now.
        answer.promise.catch(() => undefined);
        await admission;
      }
      handler(scope).then(answer.resolve, answer.reject);
      response = await answer.promise;
    } catch (thrown) {
      response = failed(thrown, scope);
    }
    const recorded = auditor?.end(scope, routes, response.status);
    if (recorded !== undefined) await recorded;
    this.#origins.tell(request, response, scope.req.path);
    if (drain.isRetiring) response.headers.set("connection", "close");
    const sent = scope.get("sent");
    const { status } = response;
    const end = (outcome: unknown) => {
      leave?.();
      scope.set("isOver", true);
      scope.get("bodyShare")?.release();
      logged?.(status, outcome);
    };
    if (sent !== undefined) sent.then(end, () => end("failed"));
    else {
      end("complete");
      // Forwarded responses have these already; touching the headers of those is not free.
      setRequestId(response.headers, requestId, scope.req.path);
      setBrowserHeaders(response.headers, request.url);
    }
    await endOfTurn();
    return response;
  }

  /** Undefined: at once. */
  #admit(scope: Scope, routes: MatchedRoutes): Promise<void> | undefined {
    const { authorise, auditor } = this.#options;
    const decision = authorise?.(scope, routes);
    return decision === undefined
      ? auditor?.begin(scope, routes)
      : decision.then(() => auditor?.begin(scope, routes));
  }
}

/**
 * A client's own request id is kept if it is short and printable, as OpenAI does. Ours begin with
 * the time: the history's index of them then grows at one end, and a row costs half as much.
 */
function requestIdOf({ headers }: Request): string {
  const header = headers.get("x-request-id");
  return header !== null && /^[\x21-\x7e]{1,128}$/.test(header)
    ? header
    : `req_${Bun.randomUUIDv7()}`;
}
