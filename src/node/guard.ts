import { createHash, timingSafeEqual } from "node:crypto";
import type { App } from "../http/app.ts";
import { ApiError } from "../wire/error.ts";

/** What anybody may know: that the process lives and whether it serves. */
const PUBLIC = new Set(["/health", "/ready", "/startup"]);

/** Requires the node's key (`Authorization: Bearer` or `x-api-key`) on all other routes. */
export function requireKey(app: App, key: string): void {
  const expected = digest(key);
  app.use(async function keyGuard(c, next) {
    const [, bearer] = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
    const given = bearer ?? c.req.header("x-api-key") ?? "";
    if (PUBLIC.has(c.req.path) || timingSafeEqual(digest(given), expected)) return next();
    const message =
      "The request was refused: this node wants its key, which is in node.json of \
its data folder. Send it as Authorization: Bearer, or ask the balancer instead.";
    throw new ApiError("unauthorized", message, { code: "invalid_api_key" });
  });
}

/** Of one length, whatever was given. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
