import type { State } from "../db/database.ts";
import type { ApiKeyFields, ApiKeyRow } from "../db/state/apikeys.ts";
import type { UserFields, UserRow } from "../db/state/users.ts";
import { Mutex } from "../lib/mutex.ts";
import { ApiError } from "../wire/error.ts";
import { NO_LIMITS } from "../wire/limits.ts";
import { type Permission, ROLE_PERMISSIONS } from "../wire/permission.ts";
import { keyHash, newApiKey, prefixOf } from "./apikey.ts";
import type { KnownPrincipal } from "./principals.ts";

/** A new key: whose, what it is called, and what it may do. */
export type NewKey = Pick<ApiKeyFields, "userId" | "name" | "permissions"> &
  Partial<Pick<ApiKeyFields, "models" | "limits" | "notes" | "expiresAt">>;

/** A new user. */
export type NewUser = Pick<UserFields, "name" | "role"> & Partial<UserFields>;

/** A key whose text is known for this once. */
export interface MadeKey {
  row: ApiKeyRow;
  key: string;
}

/** Why a credential stands for nobody, for the error. */
export type KeyFault = "unknown" | "expired" | "revoked" | "disabled";

type Parts = Pick<State, "users" | "apiKeys">;

/**
 * The users and their keys, all of them in memory: a request's key is found without a query. All
 * changes are made here, one at a time, first in the store and then in memory, so a key that was
 * revoked is refused by the next request.
 */
export class Accounts {
  readonly #store: Parts;
  readonly #changing = new Mutex();
  readonly #users = new Map<string, UserRow>();
  readonly #keys = new Map<string, ApiKeyRow>();
  readonly #byHash = new Map<string, ApiKeyRow>();
  /** What a key's requests are; made when it is first used after a change. */
  readonly #principals = new Map<string, KnownPrincipal>();
  readonly #used = new Map<string, number>();
  /** Hears of each user that was changed or removed (`after` undefined), before the change ends. */
  onUserChange: (before: UserRow, after: UserRow | undefined) => Promise<void> = () =>
    Promise.resolve();

  private constructor(store: Parts) {
    this.#store = store;
  }

  /** Reads all users and keys. Throws `StorageError`. */
  static async open(store: Parts): Promise<Accounts> {
    const accounts = new Accounts(store);
    for (const user of await store.users.list()) accounts.#users.set(user.id, user);
    for (const key of await store.apiKeys.list()) accounts.#keep(key);
    return accounts;
  }

  /** All users, by name. */
  get users(): UserRow[] {
    return [...this.#users.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** All keys, oldest first, with the last use of each. */
  get keys(): ApiKeyRow[] {
    return Array.from(this.#keys.values(), (key) => this.#withUse(key));
  }

  /** How many keys that are not revoked each user has, by his id; nothing for those without. */
  get keyCounts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { userId, revokedAt } of this.#keys.values()) {
      if (revokedAt === null) counts.set(userId, (counts.get(userId) ?? 0) + 1);
    }
    return counts;
  }

  /** The user with this id, or with this name in any case. */
  user(idOrName: string): UserRow | undefined {
    const name = idOrName.toLowerCase();
    return this.#users.get(idOrName) ?? this.users.find((user) => user.name.toLowerCase() === name);
  }

  /** The key with this id. */
  key(id: string): ApiKeyRow | undefined {
    const key = this.#keys.get(id);
    return key && this.#withUse(key);
  }

  /** What a key stands for; undefined for one that stands for nobody, as `fault` says. */
  principalOf(key: string, now = Date.now()): KnownPrincipal | undefined {
    const row = this.#byHash.get(keyHash(key));
    if (row === undefined || this.#faultOf(row, now) !== undefined) return undefined;
    this.#used.set(row.id, now);
    const known = this.#principals.get(row.id);
    if (known !== undefined) return known;
    const principal = this.#principalOf(row);
    if (principal !== undefined) this.#principals.set(row.id, principal);
    return principal;
  }

  /** Why a key stands for nobody; undefined if it does stand for somebody. */
  fault(key: string, now = Date.now()): KeyFault | undefined {
    const row = this.#byHash.get(keyHash(key));
    return row === undefined ? "unknown" : this.#faultOf(row, now);
  }

  /** Adds a user. Throws 409 if the name is taken. */
  createUser(user: NewUser): Promise<UserRow> {
    return this.#changing.run(async () => {
      const defaults = { passwordHash: null, limits: NO_LIMITS, mustChangePassword: false };
      const none = { oidcSubject: null, disabledAt: null, lastLoginAt: null };
      const row = await this.#store.users.create({ ...defaults, ...none, ...user });
      if (row === undefined) throw userNameTaken(user.name);
      this.#users.set(row.id, row);
      return row;
    });
  }

  /** Changes a user. Throws 404, 409 for a name that is taken; the last admin stays one. */
  changeUser(id: string, fields: Partial<UserFields>): Promise<UserRow> {
    return this.#changing.run(async () => {
      const before = this.#requireUser(id);
      if (fields.role === "viewer") this.#requireOtherAdmin(before, "demoted");
      if (typeof fields.disabledAt === "number") this.#requireOtherAdmin(before, "disabled");
      const row = await this.#store.users.update(id, fields);
      if (row === undefined) throw userNameTaken(fields.name ?? before.name);
      this.#users.set(id, row);
      this.#principals.clear();
      await this.onUserChange(before, row);
      return row;
    });
  }

  /** Removes a user with all of his keys. Throws 404, 409 for the last admin. */
  removeUser(id: string): Promise<void> {
    return this.#changing.run(async () => {
      const user = this.#requireUser(id);
      this.#requireOtherAdmin(user, "removed");
      await this.#store.users.remove(id);
      this.#users.delete(id);
      for (const key of this.#keys.values()) if (key.userId === id) this.#forget(key);
      await this.onUserChange(user, undefined);
    });
  }

  /** Makes a key. Throws 404 without such a user, 409 if he has a key of this name. */
  createKey(fields: NewKey): Promise<MadeKey> {
    return this.#changing.run(async () => {
      const owner = this.#requireUser(fields.userId);
      requireWithin(fields.permissions, owner);
      const key = newApiKey();
      const defaults = { models: null, limits: NO_LIMITS, notes: null, expiresAt: null };
      const unused = { revokedAt: null, lastUsedAt: null };
      const hashed = { keyHash: keyHash(key), prefix: prefixOf(key) };
      const row = await this.#store.apiKeys.create({
        ...defaults,
        ...unused,
        ...fields,
        ...hashed,
      });
      if (row === undefined) throw keyNameTaken(fields.name);
      this.#keep(row);
      return { row, key };
    });
  }

  /** Changes a key. Throws 404, 409 for a name that is taken. */
  changeKey(id: string, fields: Partial<Omit<ApiKeyFields, "userId">>): Promise<ApiKeyRow> {
    return this.#changing.run(() => this.#change(id, fields));
  }

  /** Gives a key another text; the old one is refused from now on. Throws 404. */
  rotateKey(id: string): Promise<MadeKey> {
    return this.#changing.run(async () => {
      const key = newApiKey();
      const row = await this.#change(id, { keyHash: keyHash(key), prefix: prefixOf(key) });
      return { row, key };
    });
  }

  /** Removes a key for good. Throws 404. */
  removeKey(id: string): Promise<void> {
    return this.#changing.run(async () => {
      const row = this.#requireKey(id);
      await this.#store.apiKeys.remove(id);
      this.#forget(row);
    });
  }

  /** Stores when keys were last used. Throws `StorageError`. */
  async saveUses(): Promise<void> {
    const uses = [...this.#used].filter(([id, at]) => this.#keys.get(id)?.lastUsedAt !== at);
    this.#used.clear();
    for (const [id, lastUsedAt] of uses) {
      const row = this.#keys.get(id);
      if (row === undefined) continue;
      row.lastUsedAt = lastUsedAt;
      await this.#store.apiKeys.update(id, { lastUsedAt });
    }
  }

  async #change(id: string, fields: Partial<ApiKeyFields>): Promise<ApiKeyRow> {
    const before = this.#requireKey(id);
    const owner = this.#requireUser(before.userId);
    if (fields.permissions !== undefined) requireWithin(fields.permissions, owner);
    const row = await this.#store.apiKeys.update(id, fields);
    if (row === undefined) throw keyNameTaken(fields.name ?? before.name);
    this.#forget(before);
    this.#keep(row);
    return row;
  }

  #principalOf(row: ApiKeyRow): KnownPrincipal | undefined {
    const user = this.#users.get(row.userId);
    if (user === undefined) return undefined;
    const allowed = ROLE_PERMISSIONS[user.role];
    const permissions = new Set(row.permissions.filter((one) => allowed.includes(one)));
    return { id: `key ${row.id}`, kind: "key", keyId: row.id, key: row, user, permissions };
  }

  #faultOf({ revokedAt, expiresAt, userId }: ApiKeyRow, now: number): KeyFault | undefined {
    if (revokedAt !== null) return "revoked";
    if (expiresAt !== null && expiresAt <= now) return "expired";
    return this.#users.get(userId)?.disabledAt == null ? undefined : "disabled";
  }

  #withUse(key: ApiKeyRow): ApiKeyRow {
    return { ...key, lastUsedAt: this.#used.get(key.id) ?? key.lastUsedAt };
  }

  #keep(key: ApiKeyRow): void {
    this.#keys.set(key.id, key);
    this.#byHash.set(key.keyHash, key);
  }

  #forget(key: ApiKeyRow): void {
    this.#keys.delete(key.id);
    this.#byHash.delete(key.keyHash);
    this.#principals.delete(key.id);
  }

  #requireUser(id: string): UserRow {
    const user = this.#users.get(id);
    if (user !== undefined) return user;
    throw new ApiError("not_found", `There is no user ${id}.`, { code: "user_not_found" });
  }

  #requireKey(id: string): ApiKeyRow {
    const key = this.#keys.get(id);
    if (key !== undefined) return key;
    throw new ApiError("not_found", `There is no key ${id}.`, { code: "key_not_found" });
  }

  #requireOtherAdmin(user: UserRow, done: string): void {
    if (user.role !== "admin") return;
    const others = this.users.filter(({ id, role }) => role === "admin" && id !== user.id);
    if (others.some(({ disabledAt }) => disabledAt === null)) return;
    const message = `${user.name} was not ${done}: it is the last admin. Make another one first.`;
    throw new ApiError("conflict", message, { code: "last_admin" });
  }
}

function requireWithin(permissions: readonly Permission[], owner: UserRow): void {
  const beyond = permissions.filter((one) => !ROLE_PERMISSIONS[owner.role].includes(one));
  if (beyond.length === 0) return;
  const { name, role } = owner;
  const message = `A key of ${name}, who is a ${role}, cannot have ${beyond.join(", ")}.`;
  throw new ApiError("invalid_request", message, { param: "permissions" });
}

function userNameTaken(name: string): ApiError {
  return new ApiError("conflict", `There is a user ${name} already.`, { code: "user_exists" });
}

function keyNameTaken(name: string): ApiError {
  const message = `There is a key ${name} of the same owner already: take another name.`;
  return new ApiError("conflict", message, { code: "key_exists" });
}
