import { isDirectFromHere, peerOf } from "../http/server/peer.ts";
import type { Principal } from "../http/server/principal.ts";
import type { Authorise, Scope } from "../http/server/scope.ts";
import { ApiError } from "../wire/error.ts";
import type { Permission } from "../wire/permission.ts";
import { ruleOf } from "./accesstable.ts";
import type { Accounts } from "./accounts.ts";
import { credentialOf } from "./credential.ts";
import { type KnownPrincipal, Principals } from "./principals.ts";

export interface AccessOptions {
  accounts: Accounts;
  /** Whether everybody must show who he is. */
  required: boolean;
  /** Whom a credential that is no API key belongs to. */
  findOther?(credential: string): KnownPrincipal | undefined;
  /** Whom the cookies of a request belong to. Throws 403 for one that another site made. */
  findSession?(scope: Scope): KnownPrincipal | undefined;
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
    const principal = this.#principalOf(scope, credential);
    scope.set("principal", principal);
    for (const route of routes()) this.#require(route, principal, credential, scope);
    return undefined;
  };

  #principalOf(scope: Scope, credential: string | undefined): Principal {
    const address = peerOf(scope);
    const session = credential === undefined ? this.#options.findSession?.(scope) : undefined;
    return session === undefined
      ? this.#principals.of(credential, address)
      : { ...session, address };
  }

  #require(
    route: string,
    principal: Principal,
    credential: string | undefined,
    scope: Scope,
  ): void {
    const rule = ruleOf(route);
    if (rule === "public" || rule === "node") return;
    if (rule === undefined) {
      const message = `The request was refused: nothing says who may ask ${route}.`;
      throw new ApiError("forbidden", message, { code: "no_access_rule" });
    }
    const isAnonymous = principal.kind === "anonymous";
    if (rule === "signed-in") {
      if (isAnonymous && this.#options.required) throw this.#unauthorized(credential);
      return;
    }
    const permission = typeof rule === "string" ? rule : rule.local;
    if (principal.permissions.has(permission)) return;
    if (typeof rule !== "string" && isAnonymous && isDirectFromHere(scope)) return;
    throw isAnonymous ? this.#unauthorized(credential) : lacks(permission, principal);
  }

  #unauthorized(credential: string | undefined): ApiError {
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
    };
    const message = `The request was refused: ${why[fault ?? "unknown"]}. Who runs this llmlb \
makes another with llmlb key add.`;
    return new ApiError("unauthorized", message, { code: "invalid_api_key" });
  }
}

function lacks(permission: Permission, { kind }: Principal): ApiError {
  const who = kind === "session" ? "your account" : "this key";
  const message = `The request was refused: ${who} lacks the permission ${permission}.`;
  return new ApiError("forbidden", message, { code: "insufficient_permissions" });
}
