import { requiresAccess } from "../config/loopback.ts";
import type { Settings } from "../config/settings.ts";
import { VERSION } from "../config/version.ts";
import type { State } from "../db/database.ts";
import type { UserRow } from "../db/state/users.ts";
import type { Auditor, Authorise, Scope } from "../http/server/scope.ts";
import type { Logger } from "../lib/log.ts";
import { Access, type SessionClaim } from "./access.ts";
import { Accounts } from "./accounts.ts";
import { type Audit, openAudit } from "./audit/openaudit.ts";
import { Authentication } from "./authentication.ts";
import { type FirstAdmin, makeFirstAdmin } from "./firststart.ts";
import { LiveSessions } from "./livesessions.ts";
import { localPrincipal } from "./localprincipal.ts";
import { OidcLogin } from "./oidc/oidclogin.ts";
import { type NewAccount, registerInvited } from "./registration.ts";
import { isOwnPage, sessionCookieOf } from "./sessioncookie.ts";

/** Access control and what belongs to it. */
export interface Auth {
  access: Access;
  accounts: Accounts;
  sessions: LiveSessions;
  login: Authentication;
  /** Logging in by OpenID Connect, where it is set. */
  oidc: OidcLogin | undefined;
  invitations: State["invitations"];
  /** Makes the account of somebody who was invited. */
  register(account: NewAccount): Promise<UserRow>;
  /** Whether everybody must show who he is. */
  required: boolean;
  audit: Audit;
  /** What the door needs of it. */
  door: { authorise: Authorise; auditor: Auditor };
  /** What this start made, as the first one with access control. */
  firstAdmin: FirstAdmin | undefined;
  close(): Promise<void>;
}

export interface AuthOptions {
  settings: Settings;
  state: State;
  log: Logger;
  /** What commands of this machine's user send. Default: there are none. */
  localCredential?: string | undefined;
}

const SAVE_MS = 60_000;

/** Reads users and keys, and makes the first admin where one is needed. Throws `StorageError`. */
export async function openAuth(options: AuthOptions): Promise<Auth> {
  const { settings, state, log, localCredential } = options;
  const { invitations } = state;
  const accounts = await Accounts.open(state);
  const sessions = await LiveSessions.open(state.sessions, accounts);
  const required = requiresAccess(settings);
  const firstAdmin = required ? await makeFirstAdmin(accounts, settings) : undefined;
  const audit = await openAudit({
    ...{ store: state.audit, log, retentionMs: settings.auditRetentionMs },
    start: { version: VERSION, access: required ? "required" : "off", ...madeOf(firstAdmin) },
  });
  const access = createAccess({ accounts, sessions, required, localCredential });
  const oidc = OidcLogin.of({ settings, accounts, log });
  const login = new Authentication({ accounts, sessions, required, log });
  const saveAll = () => Promise.all([accounts.saveUses(), sessions.save()]);
  const save = () => saveAll().catch((err) => log.warn({ err }, "auth.uses_not_saved"));
  const timer = setInterval(save, SAVE_MS);
  timer.unref();
  return {
    ...{ access, accounts, sessions, login, oidc, invitations, required, audit, firstAdmin },
    door: { authorise: access.authorise, auditor: audit.auditor },
    register: (account) => registerInvited(account, { accounts, invitations, required, log }),
    close: async () => {
      clearInterval(timer);
      await save();
      await audit.close();
    },
  };
}

function madeOf(firstAdmin: FirstAdmin | undefined): object {
  return firstAdmin === undefined ? {} : { first_admin: firstAdmin.username };
}

type AccessParts = Pick<Auth, "accounts" | "sessions" | "required"> &
  Pick<AuthOptions, "localCredential">;

function createAccess({ accounts, sessions, required, localCredential }: AccessParts): Access {
  const findLocal = localPrincipal(localCredential);
  return new Access({
    ...{ accounts, required },
    findOther: (credential) => findLocal(credential) ?? sessions.principalOf(credential),
    // Where nobody needs to log in, a log-in from before must not make anybody less.
    ...(required && { findSession: (scope) => claimOf(scope, sessions) }),
  });
}

function claimOf(scope: Scope, sessions: LiveSessions): SessionClaim | undefined {
  const token = sessionCookieOf(scope);
  if (token === undefined) return undefined;
  return { principal: sessions.principalOf(token), isOwnPage: isOwnPage(scope, token) };
}
