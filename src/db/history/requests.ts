import { type Kysely, type Selectable, type SelectQueryBuilder, sql } from "kysely";
import { type HistoryFile, usedBytes } from "./file.ts";
import {
  type NewRequestRow,
  type RequestAttempt,
  type RequestDetails,
  type RequestRow,
  TOKEN_SOURCES,
} from "./records.ts";
import { conditionOf, leadOf, type RequestFilter } from "./requestfilter.ts";
import type { HistorySchema, RequestsTable } from "./schema.ts";
import { REQUEST_COLUMNS } from "./statements.ts";

/** The requests that began in one minute. */
interface MinuteCounts {
  /** When it began, in unix ms. */
  minute: number;
  succeeded: number;
  failed: number;
}

/** Where a page begins: after the request with these. */
export interface PagePlace {
  startedAt: number;
  seq: number;
}

interface PageOptions {
  limit: number;
  /** Requests that are left out. Default: 0. */
  offset?: number;
  after?: PagePlace;
}

interface Page {
  records: RequestRow[];
  /** Where the next page begins; undefined: this was the last one. */
  next: PagePlace | undefined;
}

/** How many rows are read at once while iterating. */
const PAGE_ROWS = 1000;

/** How much of its bound the file holds after requests were deleted for its size. */
const FILL_AFTER_PRUNE = 0.9;

/** The history of requests. Every query throws `StorageError`. */
export class Requests {
  readonly #file: HistoryFile;

  constructor(file: HistoryFile) {
    this.#file = file;
  }

  /**
   * Stores a request in the history and its usage in the statistics, within half a second; it
   * neither waits nor fails.
   */
  record(request: NewRequestRow): void {
    this.#file.writer.request(request);
  }

  get #reader(): Kysely<HistorySchema> {
    return this.#file.reader.kysely;
  }

  /** Some of the requests that fit, newest first, after `after` or after so many. */
  async page(filter: RequestFilter, { limit, offset = 0, after }: PageOptions): Promise<Page> {
    const lead = await leadOf(this.#reader, filter);
    const newest = this.#reader
      .selectFrom("requests")
      .where((row) => conditionOf(row, filter, lead))
      .$if(after !== undefined, (query) =>
        query.where(sql<boolean>`(started_at, seq) < (${after?.startedAt}, ${after?.seq})`),
      )
      .orderBy("started_at", "desc")
      .orderBy("seq", "desc")
      // One more than wanted tells whether there are more. A literal: SQLite cannot know that a
      // parameter is small, and might sort everything instead.
      .limit(sql.lit(limit + 1))
      .offset(offset);
    // What is left out is counted in the index, without reading its rows.
    const found = offset === 0 ? newest : this.#bySeq(newest.select("seq"));
    const rows = await found.select([...REQUEST_COLUMNS, "seq"]).execute();
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    const next = last === undefined ? undefined : { startedAt: last.started_at, seq: last.seq };
    return { records: rows.slice(0, limit).map(toRequest), next };
  }

  #bySeq(seqs: SelectQueryBuilder<HistorySchema, "requests", { seq: number }>) {
    return this.#reader
      .selectFrom("requests")
      .where("seq", "in", seqs)
      .orderBy("started_at", "desc")
      .orderBy("seq", "desc");
  }

  /**
   * What fits and was recorded after the request `seq`, in the order in which it was recorded, and
   * the `seq` to go on from.
   */
  async since(
    filter: RequestFilter,
    seq: number,
    limit: number,
  ): Promise<{ records: RequestRow[]; seq: number }> {
    const latest = await this.latest();
    const rows = await this.#reader
      .selectFrom("requests")
      .select([...REQUEST_COLUMNS, "seq"])
      .where((row) => conditionOf(row, filter, "seq"))
      .where("seq", ">", seq)
      .where("seq", "<=", latest)
      .orderBy("seq")
      .limit(sql.lit(limit))
      .execute();
    const last = rows.length === limit ? rows.at(-1)?.seq : undefined;
    return { records: rows.map(toRequest), seq: last ?? latest };
  }

  /** The `seq` of the request that was recorded last; 0 without any. */
  async latest(): Promise<number> {
    const query = this.#reader.selectFrom("requests").select((row) => row.fn.max("seq").as("seq"));
    return (await query.executeTakeFirst())?.seq ?? 0;
  }

  /** How many requests fit. */
  async count(filter: RequestFilter): Promise<number> {
    const lead = await leadOf(this.#reader, filter);
    const query = this.#reader
      .selectFrom("requests")
      .select((row) => row.fn.countAll<number>().as("n"))
      .where((row) => conditionOf(row, filter, lead));
    return (await query.executeTakeFirst())?.n ?? 0;
  }

  /** The request with this id that fits, with its bodies. */
  async get(
    id: string,
    filter: RequestFilter = {},
  ): Promise<(RequestRow & RequestDetails) | undefined> {
    const query = this.#reader.selectFrom("requests").selectAll().where("id", "=", id);
    const row = await query.where((found) => conditionOf(found, filter, "id")).executeTakeFirst();
    if (row === undefined) return undefined;
    const { request_body: requestBody, response_body: responseBody } = row;
    const attempts: RequestAttempt[] | null = JSON.parse(row.attempts ?? "null");
    return { ...toRequest(row), attempts, requestBody, responseBody };
  }

  /**
   * Every request that fits, newest first, in pages, since the history may be larger than memory.
   * Requests that are recorded meanwhile may be left out.
   */
  async *pages(filter: RequestFilter = {}): AsyncGenerator<RequestRow[]> {
    let after: PagePlace | undefined;
    do {
      const place = after === undefined ? {} : { after };
      const { records, next } = await this.page(filter, { limit: PAGE_ROWS, ...place });
      yield records;
      after = next;
    } while (after !== undefined);
  }

  /** Counts the requests that fit, by minute. Minutes without any are left out. */
  async perMinute(filter: RequestFilter): Promise<MinuteCounts[]> {
    const lead = await leadOf(this.#reader, filter);
    // An integer division.
    const minute = sql<number>`started_at / 60000 * 60000`;
    return this.#reader
      .selectFrom("requests")
      .where((row) => conditionOf(row, filter, lead))
      .select([minute.as("minute"), sql<number>`sum(succeeded)`.as("succeeded")])
      .select(sql<number>`sum(1 - succeeded)`.as("failed"))
      .groupBy(minute)
      .orderBy("minute")
      .execute();
  }

  /**
   * Deletes requests that began before `before` (unix ms), in small transactions, until `signal`
   * aborts. Returns how many.
   */
  prune(before: number, signal?: AbortSignal): Promise<number> {
    const rows = { table: "requests", key: "seq", column: "started_at", before };
    return this.#file.store.prune(rows, signal);
  }

  /**
   * Deletes the oldest requests where the file holds more than `bytesMax`, as `prune` does, until a
   * tenth of that is free. Returns how many.
   */
  async pruneToSize(bytesMax: number, signal?: AbortSignal): Promise<number> {
    const used = await usedBytes(this.#file);
    if (used <= bytesMax) return 0;
    const { kysely } = this.#file.reader;
    const { first, last } = await kysely
      .selectFrom("requests")
      .select((row) => [row.fn.min("seq").as("first"), row.fn.max("seq").as("last")])
      .executeTakeFirstOrThrow();
    // All rows are taken for equally large; the next check corrects that.
    const excess = 1 - (bytesMax * FILL_AFTER_PRUNE) / used;
    const before = Math.ceil(first + (last - first + 1) * excess);
    const rows = { table: "requests", key: "seq", column: "seq", before };
    return this.#file.store.prune(rows, signal);
  }
}

type Row = Pick<Selectable<RequestsTable>, (typeof REQUEST_COLUMNS)[number]>;

function toRequest(row: Row): RequestRow {
  return {
    id: row.id,
    requestId: row.request_id,
    requestType: row.request_type,
    model: row.model,
    endpointId: row.endpoint_id,
    endpointName: row.endpoint_name,
    endpointUrl: row.endpoint_url,
    apiKeyId: row.api_key_id,
    userId: row.user_id,
    clientIp: row.client_ip,
    client: row.client,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    streamed: row.streamed === 1,
    retries: row.retries,
    succeeded: row.succeeded === 1,
    httpStatus: row.http_status,
    error: row.error,
    queueMs: row.queue_ms,
    firstByteMs: row.first_byte_ms,
    durationMs: row.duration_ms,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cachedTokens: row.cached_tokens,
    tokenSource: TOKEN_SOURCES.find((source) => source === row.token_source) ?? null,
    costMicros: row.cost_micros,
  };
}
