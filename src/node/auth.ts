import { createHash, timingSafeEqual } from "node:crypto";
import type { App } from "../http/server/app.ts";
import { HostCheck } from "../http/server/host.ts";
import { ApiError } from "../wire/error.ts";
import { isTicket } from "../wire/ticket.ts";

/** What anybody may know: that the process lives and whether it serves. */
const PUBLIC = new Set(["/health", "/ready", "/startup"]);

/** Files of a model; a ticket of the balancer opens them, too. */
const FILES = /^\/(?:api|v0)\/models\/files\/([^/]+)\/[^/]+$/;

/** For the app of a node with a key: `requireKey` looks at host names instead. */
export const ANY_HOST = new HostCheck(["*"]);

/**
 * Requires the node's key (`Authorization: Bearer` or `x-api-key`) on all other routes. Who has it,
 * or a ticket, is no web page and may call the node by any name; others only by those of `hosts`.
 */
export function requireKey(app: App, key: string, hosts = new HostCheck()): void {
  const expected = digest(key);
  app.use(async function keyGuard(c, next) {
    const [, bearer] = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
    const given = bearer ?? c.req.header("x-api-key") ?? "";
    if (timingSafeEqual(digest(given), expected)) return next();
    const model = FILES.exec(new URL(c.req.url).pathname)?.[1];
    if (model !== undefined && isTicket(given, decoded(model), key)) return next();
    hosts.require(c.req.raw);
    if (PUBLIC.has(c.req.path)) return next();
    const message =
      "The request was refused: this node wants its key, which is in node.json of \
its data folder. Send it as Authorization: Bearer, or ask the balancer instead.";
    throw new ApiError("unauthorized", message, { code: "invalid_api_key" });
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Then it is the name of no model.
  }
}

/** Of one length, whatever was given. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
