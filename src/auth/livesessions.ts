import { createHmac, randomBytes } from "node:crypto";
import type { SessionRow, Sessions } from "../db/state/sessions.ts";
import type { UserRow } from "../db/state/users.ts";
import { type Permission, ROLE_PERMISSIONS, type Role } from "../wire/permission.ts";
import type { Accounts } from "./accounts.ts";
import { keyHash } from "./apikey.ts";
import type { KnownPrincipal } from "./principals.ts";

/** Where a log-in comes from. */
export interface Visitor {
  address: string | undefined;
  userAgent: string | null;
}

/** A session whose token is known for this once. */
export interface StartedSession {
  token: string;
  session: SessionRow;
  user: UserRow;
}

const IDLE_MS = 24 * 3_600_000;
const AGE_MS_MAX = 30 * 24 * 3_600_000;
const OF_USER_MAX = 20;
const USER_AGENT_CHARS_MAX = 256;
const TOKEN = /^ses_[\w-]{43}$/;

const PERMISSIONS_OF: Record<Role, ReadonlySet<Permission>> = {
  admin: new Set(ROLE_PERMISSIONS.admin),
  viewer: new Set(ROLE_PERMISSIONS.viewer),
};

/** Whether a credential is, by its form, the token of a session. */
export function isSessionToken(credential: string): boolean {
  return TOKEN.test(credential);
}

/** What a page proves with that it can read the cookies of its own site. */
export function csrfTokenOf(token: string): string {
  return createHmac("sha256", token).update("csrf").digest("base64url");
}

/** When a session ends if it is not used again, unix ms. */
export function endOf({ lastSeenAt, expiresAt }: SessionRow): number {
  return Math.min(lastSeenAt + IDLE_MS, expiresAt);
}

/**
 * The log-ins that are valid, all of them in memory. One ends after a day without use and 30 days
 * in all; when its user is removed, disabled, demoted or has another password; and the one that was
 * used longest ago when he has more than 20. What it may do is what its user may at that moment.
 */
export class LiveSessions {
  readonly #store: Sessions;
  readonly #accounts: Accounts;
  readonly #byHash = new Map<string, SessionRow>();
  readonly #touched = new Set<SessionRow>();

  private constructor(store: Sessions, accounts: Accounts) {
    this.#store = store;
    this.#accounts = accounts;
    accounts.onUserChange = (before, after) => this.#userChanged(before, after);
  }

  /** Reads all sessions. From then on it hears of changes to users. Throws `StorageError`. */
  static async open(store: Sessions, accounts: Accounts): Promise<LiveSessions> {
    const live = new LiveSessions(store, accounts);
    for (const session of await store.list()) live.#byHash.set(session.tokenHash, session);
    return live;
  }

  /** All of them, or those of a user; the one used last comes first. */
  list(userId?: string, now = Date.now()): SessionRow[] {
    const all = [...this.#byHash.values()].filter((session) => now < endOf(session));
    const chosen = userId === undefined ? all : all.filter((one) => one.userId === userId);
    return chosen.sort((a, b) => b.lastSeenAt - a.lastSeenAt);
  }

  /** The session of a token; undefined once it has ended. */
  find(token: string, now = Date.now()): SessionRow | undefined {
    if (!isSessionToken(token)) return undefined;
    const session = this.#byHash.get(keyHash(token));
    return session !== undefined && now < endOf(session) ? session : undefined;
  }

  /** What a request with this token is; it counts as a use of the session. */
  principalOf(token: string, now = Date.now()): KnownPrincipal | undefined {
    const session = this.find(token, now);
    const user = session && this.#accounts.user(session.userId);
    if (session === undefined || user === undefined) return undefined;
    session.lastSeenAt = Math.max(session.lastSeenAt, now);
    this.#touched.add(session);
    const permissions = PERMISSIONS_OF[user.role];
    const none = { keyId: undefined, key: undefined };
    return { id: `user ${user.id}`, kind: "session", ...none, user, permissions };
  }

  /** Begins a session of a user under a new token. Throws `StorageError`. */
  async start(user: UserRow, visitor: Visitor, now = Date.now()): Promise<StartedSession> {
    const token = `ses_${randomBytes(32).toString("base64url")}`;
    const session: SessionRow = {
      ...{ id: crypto.randomUUID(), tokenHash: keyHash(token), userId: user.id },
      address: visitor.address ?? null,
      userAgent: visitor.userAgent?.slice(0, USER_AGENT_CHARS_MAX) ?? null,
      ...{ createdAt: now, lastSeenAt: now, expiresAt: now + AGE_MS_MAX },
    };
    // At once: a change of the user that happens meanwhile must end it.
    this.#byHash.set(session.tokenHash, session);
    await this.#store.create(session).catch((error: unknown) => {
      this.#byHash.delete(session.tokenHash);
      throw error;
    });
    await this.#end(this.list(user.id, now).slice(OF_USER_MAX));
    return { token, session, user };
  }

  /** Ends the session with this id; false if there is none. Throws `StorageError`. */
  async end(id: string): Promise<boolean> {
    const ended = this.list().filter((session) => session.id === id);
    await this.#end(ended);
    return ended.length > 0;
  }

  /** Stores when sessions were last used, and forgets those that are over. */
  async save(now = Date.now()): Promise<void> {
    const touched = [...this.#touched];
    this.#touched.clear();
    await this.#end([...this.#byHash.values()].filter((session) => now >= endOf(session)));
    for (const session of touched) {
      if (this.#byHash.has(session.tokenHash)) {
        await this.#store.touch(session.id, session.lastSeenAt);
      }
    }
  }

  async #userChanged(before: UserRow, after: UserRow | undefined): Promise<void> {
    const isDemoted = before.role === "admin" && after?.role === "viewer";
    const isDisabled = after !== undefined && after.disabledAt !== null;
    if (after?.passwordHash === before.passwordHash && !isDemoted && !isDisabled) return;
    await this.#end([...this.#byHash.values()].filter(({ userId }) => userId === before.id));
  }

  /** Nobody is let in any more even if the store fails. */
  async #end(sessions: SessionRow[]): Promise<void> {
    for (const { tokenHash } of sessions) this.#byHash.delete(tokenHash);
    await this.#store.remove(sessions.map(({ id }) => id));
  }
}
