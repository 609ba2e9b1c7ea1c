import { credentialOf } from "../auth/credential.ts";
import { secretMatcher } from "../auth/secret.ts";
import { isTicket, type Ticket } from "../auth/ticket.ts";
import { HostCheck } from "../http/server/host.ts";
import { decodedName } from "../http/server/query.ts";
import type { Authorise } from "../http/server/scope.ts";
import { ApiError } from "../wire/error.ts";
import { LENDING_PATH } from "../wire/lending.ts";

/** Routes without a key: whether the process lives and serves. */
const PUBLIC_PATHS = new Set(["/health", "/ready", "/startup"]);

/** Routes of model files. A ticket that the balancer signed opens them as well. */
const FILE_PATH = /^\/(?:api|v0)\/models\/files\/([^/]+)\/[^/]+$/;

/** The ticket that opens a path as the key does; undefined: none does. */
function ticketFor(path: string): Omit<Ticket, "expiresAt"> | undefined {
  if (path === LENDING_PATH) return { kind: "devices", subject: "" };
  const model = FILE_PATH.exec(path)?.[1];
  return model === undefined ? undefined : { kind: "files", subject: decodedName(model) };
}

/** For the app of a node with a key, because `keyCheck` checks the host names there. */
export const ANY_HOST = new HostCheck(["*"]);

/**
 * Requires the node's key, as bearer token or `x-api-key`, on all routes that are not public. A
 * request with the key or a ticket comes from no web page, so it may name any host; all others must
 * name one of `hosts`.
 */
export function keyCheck(key: string, hosts = new HostCheck()): Authorise {
  const isKey = secretMatcher(key);
  return function requireKey({ req }) {
    const credential = credentialOf(req.raw.headers) ?? "";
    if (isKey(credential)) return undefined;
    const opener = ticketFor(new URL(req.url).pathname);
    if (opener !== undefined && isTicket(credential, opener, key)) return undefined;
    hosts.require(req.raw);
    if (PUBLIC_PATHS.has(req.path)) return undefined;
    const message =
      "The request was refused: this node wants its key, which is in node.json of \
its data folder. Send it as Authorization: Bearer, or ask the balancer instead.";
    throw new ApiError("unauthorized", message, { code: "invalid_api_key" });
  };
}
