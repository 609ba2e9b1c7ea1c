import { tellRequestId } from "../proxy/headers.ts";
import type { Drain } from "./drain.ts";
import type { HostCheck } from "./host.ts";
import type { Scope } from "./scope.ts";

export interface DoorOptions {
  drain: Drain;
  /** Whose names requests may call. */
  hosts: HostCheck;
  /** Throws 401 or 403 for a request that may not go on. Default: every request may. */
  authorise?: ((scope: Scope) => void) | undefined;
}

/**
 * What every request passes before its route, whether the router finds that or the fast path:
 *
 * 1. It gets its id, which its answer and all errors bear.
 * 2. The name that it calls must be one of ours (403, 400).
 * 3. It must be authorised (401, 403).
 * 4. While draining, no new work is taken (503); a request counts as running until its answer is
 *    sent.
 */
export class Door {
  readonly #options: DoorOptions;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Lets a request in; the function that it returns counts it as ended. Throws `ApiError`. */
  enter(scope: Scope): () => void {
    const { drain, hosts, authorise } = this.#options;
    const request = scope.req.raw;
    scope.set("requestId", requestIdOf(request.headers.get("x-request-id")));
    hosts.require(request);
    authorise?.(scope);
    return drain.enter(scope.req.path);
  }

  /** A request is answered; `end` is what `enter` returned, undefined if that threw. */
  leave(scope: Scope, response: Response, end: (() => void) | undefined): void {
    const sent = scope.get("sent");
    if (sent !== undefined && end !== undefined) {
      // Forwarded answers have the id already; touching the headers of a response is not free.
      sent.then(end, end);
      return;
    }
    end?.();
    tellRequestId(response.headers, scope.get("requestId"), scope.req.path);
  }
}

/**
 * A client's own request id is kept if it is short and printable, as OpenAI does. Ours begin with
 * the time: the history's index of them then grows at one end, and a row costs half as much.
 */
function requestIdOf(header: string | null): string {
  return header !== null && /^[\x21-\x7e]{1,128}$/.test(header)
    ? header
    : `req_${Bun.randomUUIDv7()}`;
}
