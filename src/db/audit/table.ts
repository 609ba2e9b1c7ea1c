import { type Kysely, type Selectable, sql } from "kysely";
import type { RowReader, RowStore } from "../engine/store.ts";
import { type AuditFilter, auditCondition } from "./filter.ts";
import type { AuditAction, AuditAnchor, AuditEvent, AuditRecord, ChainPlace } from "./record.ts";
import type { AuditRecordsTable, AuditSchema } from "./schema.ts";

interface PageOptions {
  limit: number;
  /** The number before which the page begins. */
  before?: number | undefined;
  /** Records that are left out. Default: 0. */
  offset?: number;
}

interface AuditPage {
  records: AuditRecord[];
  /** The number before which the next page begins; undefined: this was the last one. */
  next: number | undefined;
}

/** Most rows that one transaction deletes. */
const ROWS_MAX = 5000;
const PAGES_MAX = 1000;

/** The rows of the audit log, to be read. Every query throws `StorageError`. */
export class AuditReader {
  readonly #reader: RowReader<AuditSchema>;

  constructor(reader: RowReader<AuditSchema>) {
    this.#reader = reader;
  }

  get #db(): Kysely<AuditSchema> {
    return this.#reader.kysely;
  }

  /** Some of the records that fit, newest first, before the one of that number. */
  async page(filter: AuditFilter, { limit, before, offset = 0 }: PageOptions): Promise<AuditPage> {
    let query = this.#db
      .selectFrom("audit_records")
      .selectAll()
      .where((row) => auditCondition(row, filter));
    if (before !== undefined) query = query.where("seq", "<", before);
    const rows = await query
      .orderBy("seq", "desc")
      .limit(limit + 1)
      .offset(offset)
      .execute();
    const records = rows.slice(0, limit).map(toRecord);
    return { records, next: rows.length > limit ? records.at(-1)?.seq : undefined };
  }

  /** How many records fit. */
  async count(filter: AuditFilter): Promise<number> {
    const query = this.#db
      .selectFrom("audit_records")
      .select((row) => row.fn.countAll<number>().as("n"))
      .where((row) => auditCondition(row, filter));
    return (await query.executeTakeFirst())?.n ?? 0;
  }

  /** The records after a number, in order. */
  async after(seq: number, limit: number): Promise<AuditRecord[]> {
    const query = this.#db.selectFrom("audit_records").selectAll().where("seq", ">", seq);
    return (await query.orderBy("seq").limit(limit).execute()).map(toRecord);
  }

  /** The record of a number. */
  async record(seq: number): Promise<AuditRecord | undefined> {
    const query = this.#db.selectFrom("audit_records").selectAll().where("seq", "=", seq);
    const row = await query.executeTakeFirst();
    return row && toRecord(row);
  }

  /** The first and the last number, and how many records there are. */
  async extent(): Promise<{ first: number; last: number; count: number } | undefined> {
    const { first, last, count } = await this.#db
      .selectFrom("audit_records")
      .select((row) => [row.fn.min("seq").as("first"), row.fn.max("seq").as("last")])
      .select((row) => row.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow();
    return count === 0 ? undefined : { first, last, count };
  }

  /** How far records were deleted for their age; undefined: none were. */
  async anchor(): Promise<AuditAnchor | undefined> {
    const row = await this.#db.selectFrom("audit_anchor").selectAll().executeTakeFirst();
    if (row === undefined) return undefined;
    const { seq, mac, time, seal } = row;
    return { seq, mac, time, seal };
  }

  /** Changes that were begun and whose end is not recorded. */
  begun(): Promise<{ id: string; event: string }[]> {
    return this.#db.selectFrom("audit_begun").selectAll().orderBy("id").execute();
  }
}

/** The same, to be written as well. What it has written is on the disk. */
export class AuditTable extends AuditReader {
  readonly #store: RowStore<AuditSchema>;
  readonly #insert: string;
  readonly #finish: string;

  constructor(store: RowStore<AuditSchema>) {
    super(store);
    this.#store = store;
    const columns = sql.join(COLUMNS.map(([, column]) => sql.ref(column)));
    const values = sql.join(COLUMNS.map(() => sql`${null}`));
    const insert = sql`insert into audit_records (${columns}) values (${values})`;
    this.#insert = insert.compile(store.kysely).sql;
    this.#finish = sql`delete from audit_begun where id = ${""}`.compile(store.kysely).sql;
  }

  /** Adds records, and forgets that the changes of those ids were begun; all of it or nothing. */
  append(records: readonly AuditRecord[], finished: readonly string[]): Promise<void> {
    return this.#store.batch([
      { sql: this.#insert, rows: records.map(rowOf) },
      { sql: this.#finish, rows: finished.map((id) => JSON.stringify([id])) },
    ]);
  }

  /** Keeps that a change begins. */
  async begin(id: string, event: AuditEvent): Promise<void> {
    const row = { id, event: JSON.stringify(event) };
    await this.#store.kysely.insertInto("audit_begun").values(row).execute();
  }

  /** Deletes what is after a place. Returns how many records. */
  async removeAfter({ seq }: ChainPlace): Promise<number> {
    const query = this.#store.kysely.deleteFrom("audit_records").where("seq", ">", seq);
    return Number((await query.executeTakeFirst()).numDeletedRows);
  }

  /** Deletes the records up to an anchor, and keeps that; all of it or nothing. */
  async moveAnchor(anchor: AuditAnchor): Promise<void> {
    await this.#store.kysely.transaction().execute(async (db) => {
      await db
        .replaceInto("audit_anchor")
        .values({ id: 1, ...anchor })
        .execute();
      await db.deleteFrom("audit_records").where("seq", "<=", anchor.seq).execute();
    });
    await sql`pragma incremental_vacuum(${sql.lit(PAGES_MAX)})`.execute(this.#store.kysely);
  }

  /** The last record of the oldest ones that are before a time or a number, few at a time. */
  async lastBefore(bounds: { time: number; seq: number }): Promise<number | undefined> {
    const oldest = this.#store.kysely
      .selectFrom("audit_records")
      .select(["seq", "time"])
      .orderBy("seq")
      .limit(ROWS_MAX);
    const rows = await oldest.execute();
    const stays = rows.findIndex(({ seq, time }) => time >= bounds.time && seq >= bounds.seq);
    return rows[(stays < 0 ? rows.length : stays) - 1]?.seq;
  }

  /** Closes the file. */
  close(): Promise<void> {
    return this.#store.close();
  }
}

/** The fields of a record, and their columns. */
const COLUMNS = [
  ...([
    ["seq", "seq"],
    ["time", "time"],
    ["action", "action"],
    ["route", "route"],
  ] as const),
  ...([
    ["path", "path"],
    ["subject", "subject"],
    ["details", "details"],
  ] as const),
  ...([
    ["actorKind", "actor_kind"],
    ["userId", "user_id"],
    ["userName", "user_name"],
  ] as const),
  ...([
    ["keyId", "key_id"],
    ["keyName", "key_name"],
    ["address", "address"],
  ] as const),
  ...([
    ["status", "status"],
    ["requestId", "request_id"],
    ["count", "count"],
  ] as const),
  ["mac", "mac"],
] as const satisfies readonly (readonly [keyof AuditRecord, keyof AuditRecordsTable])[];

function rowOf(record: AuditRecord): string {
  return JSON.stringify(COLUMNS.map(([field]) => record[field]));
}

function toRecord(row: Selectable<AuditRecordsTable>): AuditRecord {
  const { seq, time, route, path, subject, details, address, status, count, mac } = row;
  return {
    ...{ seq, time, route, path, subject, details, address, status, count, mac },
    // One that is none stays as it is: the MAC tells.
    action: row.action as AuditAction,
    actorKind: row.actor_kind,
    userId: row.user_id,
    userName: row.user_name,
    keyId: row.key_id,
    keyName: row.key_name,
    requestId: row.request_id,
  };
}
