import type { UserRow } from "../db/state/users.ts";
import type { Logger } from "../lib/log.ts";
import { ApiError } from "../wire/error.ts";
import { accessIsOff } from "./access.ts";
import type { Accounts } from "./accounts.ts";
import type { LiveSessions, StartedSession, Visitor } from "./livesessions.ts";
import { LoginThrottle } from "./loginthrottle.ts";
import { hashPassword, isPassword } from "./password.ts";

export interface AuthenticationParts {
  accounts: Accounts;
  sessions: LiveSessions;
  /** Whether everybody must show who he is; else nobody can log in. */
  required: boolean;
  log: Logger;
}

/** After a log-in a password that must be changed need not be given once more for so long. */
const FRESH_MS = 900_000;

/** How users prove who they are, and begin their sessions. */
export class Authentication {
  readonly #parts: AuthenticationParts;
  readonly #throttle = new LoginThrottle();

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
    for (const { userId, address } of parts.sessions.list()) {
      this.#throttle.remember({ account: userId, address: address ?? undefined });
    }
  }

  /**
   * Begins a session. Throws 401 if name or password is wrong, without saying which; 429 after many
   * failures, 409 where access control is off.
   */
  async withPassword(name: string, password: string, visitor: Visitor): Promise<StartedSession> {
    const { accounts, log } = this.#parts;
    this.requireAccess();
    const user = accounts.user(name);
    const account = user?.id ?? `? ${name.toLowerCase()}`;
    if (!(await this.#isRight(account, password, visitor, user))) {
      // What is nobody's name may be a password in the wrong field.
      log.warn({ user: user?.name, address: visitor.address }, "auth.login_failed");
      const message = "Logging in failed: the name or the password is wrong.";
      throw new ApiError("unauthorized", message, { code: "invalid_credentials" });
    }
    const current = accounts.user(account);
    if (current === undefined || current.passwordHash !== user?.passwordHash) {
      const message = "Logging in failed: the account was changed meanwhile. Try again.";
      throw new ApiError("conflict", message, { code: "account_changed" });
    }
    return this.start(current, visitor);
  }

  /** Throws 409 where access control is off. */
  requireAccess(): void {
    if (!this.#parts.required) throw accessIsOff();
  }

  /** Begins a session of a user who has proved who he is. Throws 403 if he is disabled. */
  async start(user: UserRow, visitor: Visitor): Promise<StartedSession> {
    const { accounts, sessions, log } = this.#parts;
    this.requireAccess();
    if (accounts.user(user.id)?.disabledAt != null) throw accountDisabled(user);
    const started = await sessions.start(user, visitor);
    const seen = await accounts.changeUser(user.id, { lastLoginAt: Date.now() });
    this.#throttle.remember({ account: user.id, address: visitor.address });
    log.info({ user: user.name, address: visitor.address }, "auth.logged_in");
    return { ...started, user: seen };
  }

  /**
   * Gives a user another password. His sessions end; the one that asked, `session`, goes on under a
   * new token. The old password is not asked for just after a log-in with one that must be changed.
   */
  async changePassword(
    { session, user }: Omit<StartedSession, "token">,
    passwords: { current: string | undefined; next: string },
    visitor: Visitor,
  ): Promise<StartedSession> {
    const { accounts, sessions, log } = this.#parts;
    const { current = "", next } = passwords;
    const isFresh = user.mustChangePassword && Date.now() - session.createdAt < FRESH_MS;
    if (!isFresh && !(await this.#isRight(user.id, current, visitor, user))) {
      const message = "The password was not changed: the current one is wrong.";
      const options = { code: "wrong_password", param: "current_password" };
      throw new ApiError("invalid_request", message, options);
    }
    if (await isPassword(next, user.passwordHash)) {
      const message = "The password was not changed: the new one is the same as before.";
      throw new ApiError("invalid_request", message, { param: "new_password" });
    }
    const passwordHash = await hashPassword(next);
    const changed = await accounts.changeUser(user.id, { passwordHash, mustChangePassword: false });
    log.info({ user: user.name, address: visitor.address }, "auth.password_changed");
    return sessions.start(changed, visitor);
  }

  async #isRight(
    account: string,
    password: string,
    { address }: Visitor,
    user: UserRow | undefined,
  ): Promise<boolean> {
    const begun = this.#throttle.begin({ account, address });
    if ("waitMs" in begun) throw tooMany(begun.waitMs);
    const isRight = await isPassword(password, user?.passwordHash);
    if (isRight) begun.succeeded();
    else begun.failed();
    return isRight;
  }
}

function accountDisabled({ name }: UserRow): ApiError {
  const message = `Logging in failed: the account ${name} is disabled. Ask an admin to enable it.`;
  return new ApiError("forbidden", message, { code: "account_disabled" });
}

function tooMany(waitMs: number): ApiError {
  const retryAfterS = Math.ceil(waitMs / 1000);
  const message = `Logging in failed: there were too many wrong passwords. Try again in \
${retryAfterS} s.`;
  return new ApiError("rate_limited", message, { code: "too_many_logins", retryAfterS });
}
