import type { Kysely, Selectable, Updateable } from "kysely";
import { type Limits, NO_LIMITS } from "../../wire/limits.ts";
import { PERMISSIONS, type Permission } from "../../wire/permission.ts";
import { unlessDuplicate } from "../engine/error.ts";
import type { ApiKeysTable, StateSchema } from "./schema.ts";

/** A key that clients send. Times are unix ms. */
export interface ApiKeyRow {
  id: string;
  userId: string;
  /** Unique among the keys of its owner. */
  name: string;
  keyHash: string;
  /** The beginning of the key, for people to recognise it. */
  prefix: string;
  permissions: Permission[];
  /** The models that it may use, as patterns with `*`; null: all. */
  models: string[] | null;
  limits: Limits;
  notes: string | null;
  createdAt: number;
  /** Null: never. */
  expiresAt: number | null;
  /** Null: it is valid. */
  revokedAt: number | null;
  lastUsedAt: number | null;
}

export type ApiKeyFields = Omit<ApiKeyRow, "id" | "createdAt">;

const NAME = "api_keys.name";

/** The API keys, of which only hashes are kept. Every query throws `StorageError`. */
export class ApiKeys {
  readonly #db: Kysely<StateSchema>;

  constructor(db: Kysely<StateSchema>) {
    this.#db = db;
  }

  /** All keys, revoked ones as well, oldest first. */
  async list(): Promise<ApiKeyRow[]> {
    const query = this.#db.selectFrom("api_keys").selectAll().orderBy("created_at");
    return (await query.execute()).map(toKey);
  }

  /** Adds a key; undefined if its owner has one of this name. */
  async create(fields: ApiKeyFields): Promise<ApiKeyRow | undefined> {
    const row = { id: crypto.randomUUID(), created_at: Date.now(), ...columnsOf(fields) };
    return unlessDuplicate(NAME, async () => {
      const query = this.#db.insertInto("api_keys").values(row as Selectable<ApiKeysTable>);
      return toKey(await query.returningAll().executeTakeFirstOrThrow());
    });
  }

  /** Changes the fields that are present; undefined if the name is taken or there is none. */
  async update(id: string, fields: Partial<ApiKeyFields>): Promise<ApiKeyRow | undefined> {
    return unlessDuplicate(NAME, async () => {
      const query = this.#db
        .updateTable("api_keys")
        // With its id, as SQL has no update of nothing.
        .set({ id, ...columnsOf(fields) })
        .where("id", "=", id);
      const row = await query.returningAll().executeTakeFirst();
      return row === undefined ? undefined : toKey(row);
    });
  }

  /** Removes a key; false if there is none. */
  async remove(id: string): Promise<boolean> {
    const query = this.#db.deleteFrom("api_keys").where("id", "=", id);
    return (await query.executeTakeFirst()).numDeletedRows > 0n;
  }
}

function columnsOf(fields: Partial<ApiKeyFields>): Updateable<ApiKeysTable> {
  const { userId, name, keyHash, prefix, permissions, models, limits, notes } = fields;
  const { expiresAt, revokedAt, lastUsedAt } = fields;
  return {
    ...(userId !== undefined && { user_id: userId }),
    ...(name !== undefined && { name }),
    ...(keyHash !== undefined && { key_hash: keyHash }),
    ...(prefix !== undefined && { prefix }),
    ...(permissions !== undefined && { permissions: JSON.stringify(permissions) }),
    ...(models !== undefined && { models: models && JSON.stringify(models) }),
    ...(limits !== undefined && { limits: JSON.stringify(limits) }),
    ...(notes !== undefined && { notes }),
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    ...(revokedAt !== undefined && { revoked_at: revokedAt }),
    ...(lastUsedAt !== undefined && { last_used_at: lastUsedAt }),
  };
}

function toKey(row: Selectable<ApiKeysTable>): ApiKeyRow {
  const permissions: string[] = JSON.parse(row.permissions);
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    keyHash: row.key_hash,
    prefix: row.prefix,
    permissions: PERMISSIONS.filter((one) => permissions.includes(one)),
    models: row.models === null ? null : JSON.parse(row.models),
    limits: { ...NO_LIMITS, ...JSON.parse(row.limits) },
    notes: row.notes,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}
