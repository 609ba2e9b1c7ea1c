import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { type Kysely, sql } from "kysely";
import type { EnrolmentTokenState } from "../../wire/enrolment.ts";
import type { StateSchema } from "./schema.ts";

/** What a token can be used for; it is refused for anything else. */
type TokenPurpose = "node";

/** A token to make. */
interface TokenOptions {
  purpose: TokenPurpose;
  /** How long it can be used, in ms. Default: 1 hour. */
  ttlMs?: number;
  /** How often it can be used; null is any number. Default: 1. */
  usesMax?: number | null;
  /** The operator's remark. Default: null. */
  note?: string | null;
}

/** A token as it is listed; the token itself is not kept. Times are unix ms. */
export interface TokenRow {
  id: string;
  purpose: string;
  note: string | null;
  createdAt: number;
  expiresAt: number;
  usesMax: number | null;
  uses: number;
  revokedAt: number | null;
}

/** Why a token was refused. */
export type TokenRefusal = "unknown" | Exclude<EnrolmentTokenState, "usable">;

/** Whether a token could be used. `again`: the same node had used it before; that counts once. */
type Redemption =
  | { ok: true; tokenId: string; again: boolean }
  | { ok: false; reason: TokenRefusal };

const TTL_MS = 3_600_000;

/**
 * The tokens with which nodes enrol, and the keys with which enrolled nodes prove who they are.
 * Every method throws `StorageError`.
 */
export class Enrolment {
  readonly #db: Kysely<StateSchema>;

  constructor(db: Kysely<StateSchema>) {
    this.#db = db;
  }

  /** Makes a token. Only its hash is kept, so that it cannot be read again. */
  async createToken(options: TokenOptions): Promise<TokenRow & { token: string }> {
    const { purpose, ttlMs = TTL_MS, usesMax = 1, note = null } = options;
    const token = `enrol_${randomBytes(24).toString("base64url")}`;
    const createdAt = Date.now();
    const row = await this.#db
      .insertInto("enrolment_tokens")
      .values({
        ...{ id: crypto.randomUUID(), token_hash: hashOf(token), purpose, note, uses: 0 },
        ...{ created_at: createdAt, expires_at: createdAt + ttlMs, uses_max: usesMax },
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { ...toToken(row), token };
  }

  /** Uses a token once. Of two that redeem its last use at the same time, one is refused. */
  async redeem(token: string, purpose: TokenPurpose, now = Date.now()): Promise<Redemption> {
    const used = await this.#db
      .updateTable("enrolment_tokens")
      .set({ uses: sql`uses + 1` })
      .where("token_hash", "=", hashOf(token))
      .where("purpose", "=", purpose)
      .where("revoked_at", "is", null)
      .where("expires_at", ">", now)
      .where((row) => row.or([row("uses_max", "is", null), row("uses", "<", row.ref("uses_max"))]))
      .returning("id")
      .executeTakeFirst();
    if (used !== undefined) return { ok: true, tokenId: used.id, again: false };
    return { ok: false, reason: await this.#refusal(token, purpose, now) };
  }

  /**
   * Uses a token once for a node. A token that is used up is accepted again if the node's key was
   * issued for it: the answer with the key may have been lost.
   */
  async redeemFor(nodeId: string, token: string, now = Date.now()): Promise<Redemption> {
    const redeemed = await this.redeem(token, "node", now);
    if (redeemed.ok || redeemed.reason !== "used_up") return redeemed;
    const own = await this.#db
      .selectFrom("enrolment_tokens")
      .innerJoin("node_keys", "node_keys.token_id", "enrolment_tokens.id")
      .select("enrolment_tokens.id")
      .where("token_hash", "=", hashOf(token))
      .where("node_id", "=", nodeId)
      .executeTakeFirst();
    return own === undefined ? redeemed : { ok: true, tokenId: own.id, again: true };
  }

  /** Takes back one use of a token, for when the enrolment failed after it was redeemed. */
  async release(tokenId: string): Promise<void> {
    await this.#db
      .updateTable("enrolment_tokens")
      .set({ uses: sql`uses - 1` })
      .where("id", "=", tokenId)
      .where("uses", ">", 0)
      .execute();
  }

  /** The newest `limit` tokens, newest first. */
  async listTokens(limit = 1000): Promise<TokenRow[]> {
    const query = this.#db.selectFrom("enrolment_tokens").selectAll();
    return (await query.orderBy("created_at", "desc").limit(limit).execute()).map(toToken);
  }

  /** The token with this id. */
  async token(id: string): Promise<TokenRow | undefined> {
    const query = this.#db.selectFrom("enrolment_tokens").selectAll();
    const row = await query.where("id", "=", id).executeTakeFirst();
    return row === undefined ? undefined : toToken(row);
  }

  /** Revokes a token; revoking it again keeps the first time. False if there is none. */
  async revokeToken(id: string, now = Date.now()): Promise<boolean> {
    const first = sql<number>`coalesce(revoked_at, ${now})`;
    const query = this.#db.updateTable("enrolment_tokens").set({ revoked_at: first });
    return (await query.where("id", "=", id).executeTakeFirst()).numUpdatedRows > 0n;
  }

  /** Deletes tokens that expired before `before` (unix ms). Returns how many. */
  async pruneTokens(before: number): Promise<number> {
    const query = this.#db.deleteFrom("enrolment_tokens").where("expires_at", "<", before);
    return Number((await query.executeTakeFirst()).numDeletedRows);
  }

  /** Makes a node's key; an earlier key of the same node becomes invalid. */
  async issueNodeKey(nodeId: string, tokenId: string | null = null): Promise<string> {
    const key = `node_${randomBytes(32).toString("base64url")}`;
    const columns = { key_hash: hashOf(key), token_id: tokenId, created_at: Date.now() };
    await this.#db
      .insertInto("node_keys")
      .values({ node_id: nodeId, ...columns })
      .onConflict((conflict) => conflict.column("node_id").doUpdateSet(columns))
      .execute();
    return key;
  }

  /** Whether `key` is the key of this node. */
  async isNodeKey(nodeId: string, key: string): Promise<boolean> {
    const query = this.#db.selectFrom("node_keys").select("key_hash");
    const row = await query.where("node_id", "=", nodeId).executeTakeFirst();
    if (row === undefined) return false;
    return timingSafeEqual(Buffer.from(hashOf(key)), Buffer.from(row.key_hash));
  }

  /** Revokes a node's key; false if it has none. */
  async revokeNodeKey(nodeId: string): Promise<boolean> {
    const query = this.#db.deleteFrom("node_keys").where("node_id", "=", nodeId);
    return (await query.executeTakeFirst()).numDeletedRows > 0n;
  }

  async #refusal(token: string, purpose: TokenPurpose, now: number): Promise<TokenRefusal> {
    const row = await this.#db
      .selectFrom("enrolment_tokens")
      .selectAll()
      .where("token_hash", "=", hashOf(token))
      .where("purpose", "=", purpose)
      .executeTakeFirst();
    if (row === undefined) return "unknown";
    const state = tokenStateOf(toToken(row), now);
    // It is usable again if a use of it was taken back meanwhile.
    return state === "usable" ? "used_up" : state;
  }
}

/** The state of a token at a time (unix ms). */
export function tokenStateOf(token: TokenRow, now: number): EnrolmentTokenState {
  if (token.revokedAt !== null) return "revoked";
  if (token.expiresAt <= now) return "expired";
  return token.usesMax !== null && token.uses >= token.usesMax ? "used_up" : "usable";
}

/** A plain hash is enough: nobody can guess a long random token. */
function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function toToken(row: StateSchema["enrolment_tokens"]): TokenRow {
  return {
    id: row.id,
    purpose: row.purpose,
    note: row.note,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usesMax: row.uses_max,
    uses: row.uses,
    revokedAt: row.revoked_at,
  };
}
