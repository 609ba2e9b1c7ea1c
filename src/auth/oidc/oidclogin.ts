import type { OidcSettings } from "../../config/fields/oidc.ts";
import type { UserRow } from "../../db/state/users.ts";
import type { Logger } from "../../lib/log.ts";
import { Mutex } from "../../lib/mutex.ts";
import { ApiError } from "../../wire/error.ts";
import type { Role } from "../../wire/permission.ts";
import type { Accounts } from "../accounts.ts";
import { type Claims, roleOf, userNames } from "./claims.ts";
import { OidcClient } from "./client.ts";
import { OidcFlows } from "./flow.ts";

interface OidcLoginParts {
  settings: OidcSettings;
  accounts: Accounts;
  log: Logger;
}

/** Logging in by OpenID Connect; absent where it is not set. */
export class OidcLogin {
  readonly flows = new OidcFlows();
  readonly client: OidcClient;
  readonly #parts: OidcLoginParts;
  readonly #issuer: string;
  readonly #changing = new Mutex();

  private constructor(parts: OidcLoginParts, issuer: string, clientId: string) {
    this.#parts = parts;
    this.#issuer = issuer;
    const client = { ...parts.settings, oidcIssuer: issuer, oidcClientId: clientId };
    this.client = new OidcClient(client);
  }

  /** Undefined without issuer or client id. */
  static of(parts: OidcLoginParts): OidcLogin | undefined {
    const { oidcIssuer, oidcClientId } = parts.settings;
    if (oidcIssuer === null || oidcClientId === null) return undefined;
    return new OidcLogin(parts, oidcIssuer, oidcClientId);
  }

  /**
   * The user whom claims are about, made if he was never here. His role is that of the claims, each
   * time; but the last admin stays one. Nobody becomes somebody else by having the same name.
   */
  userOf(claims: Claims): Promise<UserRow> {
    // One at a time: somebody may begin twice at once.
    return this.#changing.run(() => this.#userOf(claims));
  }

  async #userOf(claims: Claims): Promise<UserRow> {
    const { accounts, settings } = this.#parts;
    const oidcSubject = `${this.#issuer} ${String(claims.sub)}`;
    const role = roleOf(claims, settings);
    const known = accounts.users.find((user) => user.oidcSubject === oidcSubject);
    if (known !== undefined) return this.#withRole(known, role);
    for (const name of userNames(claims)) {
      if (accounts.user(name) !== undefined) continue;
      return accounts.createUser({ name, role: role ?? "viewer", oidcSubject });
    }
    const message = "Logging in failed: all names for your account are taken. Ask an admin.";
    throw new ApiError("conflict", message, { code: "user_exists" });
  }

  async #withRole(user: UserRow, role: Role | undefined): Promise<UserRow> {
    if (role === undefined || role === user.role) return user;
    const { accounts, log } = this.#parts;
    try {
      return await accounts.changeUser(user.id, { role });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "last_admin") throw error;
      log.warn({ user: user.name }, "auth.last_admin_kept");
      return user;
    }
  }
}
