import { isDirectFromHere, peerOf } from "../http/server/peer.ts";
import type { Principal } from "../http/server/principal.ts";
import type { Authorise, Scope } from "../http/server/scope.ts";
import { ApiError } from "../wire/error.ts";
import type { Permission } from "../wire/permission.ts";
import { ruleOf } from "./accesstable.ts";
import type { Accounts } from "./accounts.ts";
import { credentialOf } from "./credential.ts";
import { lacking } from "./lacking.ts";
import { isSessionToken } from "./livesessions.ts";
import { type KnownPrincipal, Principals } from "./principals.ts";

export interface AccessOptions {
  accounts: Accounts;
  /** Whether everybody must show who he is. */
  required: boolean;
  /** Whom a credential that is no API key belongs to. */
  findOther?(credential: string): KnownPrincipal | undefined;
  /** Whom the cookie of a request belongs to, if it has one. */
  findSession?(scope: Scope): SessionClaim | undefined;
}

/** What the cookie of a log-in says of a request. */
export interface SessionClaim {
  /** Undefined: the log-in has ended. */
  principal: KnownPrincipal | undefined;
  /** Whether a page of this server made the request, not one of another site. */
  isOwnPage: boolean;
}

/** Who asks: what he proves it with, and what follows. */
interface Asker {
  principal: Principal;
  credential: string | undefined;
  claim: SessionClaim | undefined;
}

/**
 * Decides about the access of each request, before its handler runs: finds out who sends it, keeps
 * that for those after (`scope.get("principal")`), and looks up what the route asks for
 * (`accesstable.ts`). Nobody else decides about access; handlers only choose between what is the
 * caller's own and everything.
 */
export class Access {
  readonly #options: AccessOptions;
  readonly #principals: Principals;

  constructor(options: AccessOptions) {
    const { accounts, required, findOther = () => undefined } = options;
    this.#options = options;
    this.#principals = new Principals({
      find: (credential) => accounts.principalOf(credential) ?? findOther(credential),
      anonymous: required ? "nothing" : "everything",
    });
  }

  /** For the door. Throws 401 for somebody unknown, 403 for somebody who may not. */
  readonly authorise: Authorise = (scope, routes) => {
    const { raw } = scope.req;
    const credential = credentialOf(raw.headers, raw.url);
    const known = this.#principals.of(credential, peerOf(scope));
    // A proxy in front may ask for a password of its own, which the browser then sends along.
    const claim = known.kind === "anonymous" ? this.#options.findSession?.(scope) : undefined;
    const session = claim?.isOwnPage === true ? claim.principal : undefined;
    const principal = session === undefined ? known : { ...session, address: known.address };
    scope.set("principal", principal);
    for (const route of routes()) this.#require(route, { principal, credential, claim }, scope);
    return undefined;
  };

  #require(route: string, asker: Asker, scope: Scope): void {
    const rule = ruleOf(route);
    if (rule === "public" || rule === "node") return;
    const { principal, claim } = asker;
    if (claim?.principal !== undefined && !claim.isOwnPage) throw csrfFailed();
    if (rule === "session") {
      this.#requireSession(asker);
      return;
    }
    if (mustChangePassword(principal)) throw passwordChangeRequired();
    if (rule === undefined) {
      const message = `The request was refused: nothing says who may ask ${route}.`;
      throw new ApiError("forbidden", message, { code: "no_access_rule" });
    }
    const isAnonymous = principal.kind === "anonymous";
    if (rule === "signed-in") {
      if (isAnonymous && this.#options.required) throw this.#unauthorized(asker);
      return;
    }
    const permission = typeof rule === "string" ? rule : rule.local;
    if (principal.permissions.has(permission)) return;
    if (typeof rule !== "string" && isAnonymous && isDirectFromHere(scope)) return;
    throw isAnonymous ? this.#unauthorized(asker) : lacks(permission, principal);
  }

  #requireSession(asker: Asker): void {
    const { kind } = asker.principal;
    if (kind === "session") return;
    if (!this.#options.required) throw accessIsOff();
    if (kind === "anonymous") throw this.#unauthorized(asker);
    const message = "The request was refused: this is for those who have logged in, not for keys.";
    throw new ApiError("forbidden", message, { code: "session_required" });
  }

  #unauthorized({ credential, claim }: Asker): ApiError {
    if (claim !== undefined || (credential !== undefined && isSessionToken(credential))) {
      const message = "The request was refused: this log-in has ended. Log in again.";
      return new ApiError("unauthorized", message, { code: "session_ended" });
    }
    if (credential === undefined) {
      const message =
        "A key is needed: send one as Authorization: Bearer sk_… (or x-api-key). \
Who runs this llmlb makes one with llmlb key add.";
      return new ApiError("unauthorized", message, { code: "missing_api_key" });
    }
    const fault = this.#options.accounts.fault(credential);
    const why = {
      unknown: "this key is not known here",
      expired: "this key has expired",
      revoked: "this key was revoked",
      disabled: "the account that this key belongs to is disabled",
    };
    const message = `The request was refused: ${why[fault ?? "unknown"]}. Who runs this llmlb \
makes another with llmlb key add.`;
    return new ApiError("unauthorized", message, { code: "invalid_api_key" });
  }
}

function mustChangePassword({ kind, user }: Principal): boolean {
  return kind === "session" && user?.mustChangePassword === true;
}

function passwordChangeRequired(): ApiError {
  const message = "The request was refused: choose a new password first.";
  return new ApiError("forbidden", message, { code: "password_change_required" });
}

function csrfFailed(): ApiError {
  const message =
    "The request was refused: it came with the cookie of a log-in, but without its \
token in the header X-CSRF-Token, which the cookie llmlb_csrf tells.";
  return new ApiError("forbidden", message, { code: "csrf_failed" });
}

/** What whoever tries to log in is told where nobody needs to. */
export function accessIsOff(): ApiError {
  const message = "Nobody logs in here: access control is off. Start llmlb with --access required.";
  return new ApiError("conflict", message, { code: "access_off" });
}

function lacks(permission: Permission, { kind }: Principal): ApiError {
  const who = kind === "session" ? "your account" : "this key";
  return lacking(`The request was refused: ${who} lacks the permission ${permission}.`);
}
