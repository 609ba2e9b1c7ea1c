import type { App } from "../../../http/server/app.ts";
import { type KeyRouteParts, routeKeys } from "./keys.ts";
import { routeUsers } from "./users.ts";

/** The users and their keys. */
export function routeAccounts(app: App, parts: KeyRouteParts): void {
  routeKeys(app, parts);
  routeUsers(app, parts.accounts);
}
