import { type Kysely, type Selectable, sql } from "kysely";
import type { Role } from "../../wire/permission.ts";
import type { InvitationsTable, StateSchema } from "./schema.ts";

/** A code with which one person may make an account. Times are unix ms. */
export interface InvitationRow {
  id: string;
  role: Role;
  note: string | null;
  /** The user who made it; null: somebody without an account, or one that is gone. */
  createdBy: string | null;
  createdAt: number;
  expiresAt: number;
  usedAt: number | null;
  usedBy: string | null;
  revokedAt: number | null;
}

/** A new one. */
export type NewInvitation = Pick<InvitationRow, "role" | "note" | "createdBy" | "expiresAt"> & {
  codeHash: string;
};

/** The invitations, of whose codes only hashes are kept. Every query throws `StorageError`. */
export class Invitations {
  readonly #db: Kysely<StateSchema>;

  constructor(db: Kysely<StateSchema>) {
    this.#db = db;
  }

  /** Adds one. */
  async create(invitation: NewInvitation): Promise<InvitationRow> {
    const { role, note, createdBy, expiresAt, codeHash } = invitation;
    const columns = { role, note, code_hash: codeHash, created_by: createdBy };
    const query = this.#db.insertInto("invitations").values({
      ...{ id: crypto.randomUUID(), created_at: Date.now(), expires_at: expiresAt },
      ...columns,
    });
    return toInvitation(await query.returningAll().executeTakeFirstOrThrow());
  }

  /** The newest `limit`, newest first. */
  async list(limit = 1000): Promise<InvitationRow[]> {
    const query = this.#db.selectFrom("invitations").selectAll();
    return (await query.orderBy("created_at", "desc").limit(limit).execute()).map(toInvitation);
  }

  /** The one with this code, whatever its state. */
  async find(codeHash: string): Promise<InvitationRow | undefined> {
    const query = this.#db.selectFrom("invitations").selectAll();
    const row = await query.where("code_hash", "=", codeHash).executeTakeFirst();
    return row === undefined ? undefined : toInvitation(row);
  }

  /** Uses one up; false if it cannot be used. Of two that try at the same time, one may. */
  async redeem(id: string, now = Date.now()): Promise<boolean> {
    const used = await this.#db
      .updateTable("invitations")
      .set({ used_at: now })
      .where("id", "=", id)
      .where("used_at", "is", null)
      .where("revoked_at", "is", null)
      .where("expires_at", ">", now)
      .executeTakeFirst();
    return used.numUpdatedRows > 0n;
  }

  /** Says who used it. Null: nobody, it can be used again. */
  async settle(id: string, usedBy: string | null): Promise<void> {
    const fields = usedBy === null ? { used_at: null } : { used_by: usedBy };
    await this.#db.updateTable("invitations").set(fields).where("id", "=", id).execute();
  }

  /** Revokes one; again keeps the first time. Undefined if there is none. */
  async revoke(id: string, now = Date.now()): Promise<InvitationRow | undefined> {
    const first = sql<number>`coalesce(revoked_at, ${now})`;
    const query = this.#db.updateTable("invitations").set({ revoked_at: first });
    const row = await query.where("id", "=", id).returningAll().executeTakeFirst();
    return row === undefined ? undefined : toInvitation(row);
  }

  /** Deletes those that expired before `before` (unix ms). Returns how many. */
  async prune(before: number): Promise<number> {
    const query = this.#db.deleteFrom("invitations").where("expires_at", "<", before);
    return Number((await query.executeTakeFirst()).numDeletedRows);
  }
}

function toInvitation(row: Selectable<InvitationsTable>): InvitationRow {
  return {
    id: row.id,
    role: row.role === "admin" ? "admin" : "viewer",
    note: row.note,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at,
    usedBy: row.used_by,
    revokedAt: row.revoked_at,
  };
}
