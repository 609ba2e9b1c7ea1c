import type { App } from "../../../http/server/app.ts";
import { type InvitationRouteParts, routeInvitations } from "./invitations.ts";
import { type KeyRouteParts, routeKeys } from "./keys.ts";
import { type LoginRouteParts, routeLogin } from "./login.ts";
import { type OidcRouteParts, routeOidc } from "./oidc.ts";
import { type RegisterRouteParts, routeRegister } from "./register.ts";
import { routeSessions } from "./sessions.ts";
import { routeUsers } from "./users.ts";

type AccountRouteParts = KeyRouteParts &
  LoginRouteParts &
  InvitationRouteParts &
  OidcRouteParts &
  RegisterRouteParts;

/** The users, their keys, their log-ins, and who is invited to become one. */
export function routeAccounts(app: App, parts: AccountRouteParts): void {
  routeKeys(app, parts);
  routeUsers(app, parts.accounts);
  routeLogin(app, parts);
  routeSessions(app, parts);
  routeInvitations(app, parts);
  routeRegister(app, parts);
  routeOidc(app, parts);
}
