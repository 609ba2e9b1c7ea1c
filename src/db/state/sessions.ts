import type { Kysely, Selectable } from "kysely";
import type { SessionsTable, StateSchema } from "./schema.ts";

/** A log-in that is still valid. Times are unix ms. */
export interface SessionRow {
  id: string;
  tokenHash: string;
  userId: string;
  /** Where it was begun, for people to recognise it. */
  address: string | null;
  userAgent: string | null;
  createdAt: number;
  lastSeenAt: number;
  /** When it ends however much it is used. */
  expiresAt: number;
}

/** The log-ins, of whose tokens only hashes are kept. Every query throws `StorageError`. */
export class Sessions {
  readonly #db: Kysely<StateSchema>;

  constructor(db: Kysely<StateSchema>) {
    this.#db = db;
  }

  /** All of them, oldest first. */
  async list(): Promise<SessionRow[]> {
    const query = this.#db.selectFrom("sessions").selectAll().orderBy("created_at");
    return (await query.execute()).map(toSession);
  }

  /** Adds one. */
  async create(row: SessionRow): Promise<void> {
    const { id, tokenHash, userId, address, userAgent, createdAt, lastSeenAt, expiresAt } = row;
    const columns = { id, token_hash: tokenHash, user_id: userId, address, user_agent: userAgent };
    const times = { created_at: createdAt, last_seen_at: lastSeenAt, expires_at: expiresAt };
    await this.#db
      .insertInto("sessions")
      .values({ ...columns, ...times })
      .execute();
  }

  /** Stores when one was last used. */
  async touch(id: string, lastSeenAt: number): Promise<void> {
    const query = this.#db.updateTable("sessions").set({ last_seen_at: lastSeenAt });
    await query.where("id", "=", id).execute();
  }

  /** Removes those that are there. */
  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#db.deleteFrom("sessions").where("id", "in", ids).execute();
  }
}

function toSession(row: Selectable<SessionsTable>): SessionRow {
  return {
    id: row.id,
    tokenHash: row.token_hash,
    userId: row.user_id,
    address: row.address,
    userAgent: row.user_agent,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
  };
}
