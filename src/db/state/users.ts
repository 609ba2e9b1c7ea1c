import type { Kysely, Selectable, Updateable } from "kysely";
import { type Limits, NO_LIMITS } from "../../wire/limits.ts";
import type { Role } from "../../wire/permission.ts";
import { unlessDuplicate } from "../engine/error.ts";
import type { StateSchema, UsersTable } from "./schema.ts";

/** Somebody who may log in. Times are unix ms. */
export interface UserRow {
  id: string;
  /** Unique in any case. */
  name: string;
  /** Null: he logs in by OpenID Connect only. */
  passwordHash: string | null;
  role: Role;
  limits: Limits;
  mustChangePassword: boolean;
  /** Issuer and subject of OpenID Connect, joined by a blank; null: he logs in by password only. */
  oidcSubject: string | null;
  /** Since when neither he nor his keys are let in; null: they are. */
  disabledAt: number | null;
  createdAt: number;
  lastLoginAt: number | null;
}

export type UserFields = Omit<UserRow, "id" | "createdAt">;

const NAME = "users.name";

/** The users. Every query throws `StorageError`. */
export class Users {
  readonly #db: Kysely<StateSchema>;

  constructor(db: Kysely<StateSchema>) {
    this.#db = db;
  }

  /** All users, by name. */
  async list(): Promise<UserRow[]> {
    return (await this.#db.selectFrom("users").selectAll().orderBy("name").execute()).map(toUser);
  }

  /** Adds a user; undefined if the name is taken. */
  async create(fields: UserFields): Promise<UserRow | undefined> {
    const row = { id: crypto.randomUUID(), created_at: Date.now(), ...columnsOf(fields) };
    return unlessDuplicate(NAME, async () => {
      const query = this.#db.insertInto("users").values(row as Selectable<UsersTable>);
      return toUser(await query.returningAll().executeTakeFirstOrThrow());
    });
  }

  /** Changes the fields that are present; undefined if the name is taken or there is none. */
  async update(id: string, fields: Partial<UserFields>): Promise<UserRow | undefined> {
    return unlessDuplicate(NAME, async () => {
      const query = this.#db
        .updateTable("users")
        // With its id, as SQL has no update of nothing.
        .set({ id, ...columnsOf(fields) })
        .where("id", "=", id);
      const row = await query.returningAll().executeTakeFirst();
      return row === undefined ? undefined : toUser(row);
    });
  }

  /** Removes a user with his keys and sessions; false if there is none. */
  async remove(id: string): Promise<boolean> {
    const query = this.#db.deleteFrom("users").where("id", "=", id);
    return (await query.executeTakeFirst()).numDeletedRows > 0n;
  }
}

function columnsOf(fields: Partial<UserFields>): Updateable<UsersTable> {
  const { name, passwordHash, role, limits, mustChangePassword } = fields;
  const { oidcSubject, disabledAt, lastLoginAt } = fields;
  return {
    ...(name !== undefined && { name }),
    ...(passwordHash !== undefined && { password_hash: passwordHash }),
    ...(role !== undefined && { role }),
    ...(limits !== undefined && { limits: JSON.stringify(limits) }),
    ...(mustChangePassword !== undefined && { must_change_password: +mustChangePassword }),
    ...(oidcSubject !== undefined && { oidc_subject: oidcSubject }),
    ...(disabledAt !== undefined && { disabled_at: disabledAt }),
    ...(lastLoginAt !== undefined && { last_login_at: lastLoginAt }),
  };
}

function toUser(row: Selectable<UsersTable>): UserRow {
  return {
    id: row.id,
    name: row.name,
    passwordHash: row.password_hash,
    role: row.role === "admin" ? "admin" : "viewer",
    limits: { ...NO_LIMITS, ...JSON.parse(row.limits) },
    mustChangePassword: row.must_change_password === 1,
    oidcSubject: row.oidc_subject,
    disabledAt: row.disabled_at,
    createdAt: row.created_at,
    lastLoginAt: row.last_login_at,
  };
}
