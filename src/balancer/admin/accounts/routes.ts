import type { App } from "../../../http/server/app.ts";
import { type KeyRouteParts, routeKeys } from "./keys.ts";
import { type LoginRouteParts, routeLogin } from "./login.ts";
import { routeSessions } from "./sessions.ts";
import { routeUsers } from "./users.ts";

/** The users, their keys and their log-ins. */
export function routeAccounts(app: App, parts: KeyRouteParts & LoginRouteParts): void {
  routeKeys(app, parts);
  routeUsers(app, parts.accounts);
  routeLogin(app, parts);
  routeSessions(app, parts);
}
