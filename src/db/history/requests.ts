import { type ExpressionBuilder, type Kysely, type Selectable, sql } from "kysely";
import { type HistoryFile, usedBytes } from "./file.ts";
import {
  type NewRequestRow,
  type RequestBodies,
  type RequestRow,
  TOKEN_SOURCES,
} from "./records.ts";
import type { HistorySchema, RequestsTable } from "./schema.ts";
import { REQUEST_COLUMNS } from "./statements.ts";

/** All conditions that are present hold at once. */
interface RequestFilter {
  model?: string;
  endpointId?: string;
  apiKeyId?: string;
  clientIp?: string;
  requestType?: string;
  requestId?: string;
  succeeded?: boolean;
  /** Unix ms, inclusive. */
  from?: number;
  /** Unix ms, exclusive. */
  until?: number;
}

/** The requests that began in one minute. */
interface MinuteCounts {
  /** When it began, in unix ms. */
  minute: number;
  succeeded: number;
  failed: number;
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

  /** A page of the requests that fit, newest first, without bodies, and how many fit in all. */
  async page(
    filter: RequestFilter,
    { limit, offset = 0 }: { limit: number; offset?: number },
  ): Promise<{ records: RequestRow[]; total: number }> {
    const from = this.#reader.selectFrom("requests").where((row) => conditionOf(row, filter));
    const rows = from.select(REQUEST_COLUMNS).orderBy("started_at", "desc").orderBy("seq", "desc");
    const total = await from.select((row) => row.fn.countAll<number>().as("n")).executeTakeFirst();
    const records = await rows.limit(limit).offset(offset).execute();
    return { records: records.map(toRequest), total: total?.n ?? 0 };
  }

  /** The request with this id, with its bodies. */
  async get(id: string): Promise<(RequestRow & RequestBodies) | undefined> {
    const query = this.#reader.selectFrom("requests").selectAll().where("id", "=", id);
    const row = await query.executeTakeFirst();
    if (row === undefined) return undefined;
    return { ...toRequest(row), requestBody: row.request_body, responseBody: row.response_body };
  }

  /**
   * Every request that fits, newest first, with bodies. They are read in small pages, since the
   * history may be larger than memory. Requests that are recorded meanwhile are left out.
   */
  async *each(filter: RequestFilter = {}): AsyncGenerator<RequestRow & RequestBodies> {
    let last: { startedAt: number; seq: number } | undefined;
    for (;;) {
      let query = this.#reader.selectFrom("requests").where((row) => conditionOf(row, filter));
      if (last !== undefined) {
        const { startedAt, seq } = last;
        query = query.where(sql<boolean>`(started_at, seq) < (${startedAt}, ${seq})`);
      }
      const rows = await query
        .selectAll()
        .orderBy("started_at", "desc")
        .orderBy("seq", "desc")
        .limit(PAGE_ROWS)
        .execute();
      for (const row of rows) {
        last = { startedAt: row.started_at, seq: row.seq };
        const { request_body: requestBody, response_body: responseBody } = row;
        yield { ...toRequest(row), requestBody, responseBody };
      }
      if (rows.length < PAGE_ROWS) return;
    }
  }

  /**
   * Counts the requests that began from `from` to before `until` (unix ms), by minute. Minutes
   * without any are left out.
   */
  async perMinute(from: number, until: number): Promise<MinuteCounts[]> {
    // An integer division.
    const minute = sql<number>`started_at / 60000 * 60000`;
    return this.#reader
      .selectFrom("requests")
      .where("started_at", ">=", from)
      .where("started_at", "<", until)
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

function conditionOf(row: ExpressionBuilder<HistorySchema, "requests">, filter: RequestFilter) {
  const { model, endpointId, apiKeyId, clientIp, requestType, requestId } = filter;
  const { succeeded, from, until } = filter;
  return row.and([
    ...(model === undefined ? [] : [row("model", "=", model)]),
    ...(endpointId === undefined ? [] : [row("endpoint_id", "=", endpointId)]),
    ...(apiKeyId === undefined ? [] : [row("api_key_id", "=", apiKeyId)]),
    ...(clientIp === undefined ? [] : [row("client_ip", "=", clientIp)]),
    ...(requestType === undefined ? [] : [row("request_type", "=", requestType)]),
    ...(requestId === undefined ? [] : [row("request_id", "=", requestId)]),
    // A literal, not a parameter: else the index of failed requests would not be used.
    ...(succeeded === undefined ? [] : [sql<boolean>`succeeded = ${sql.lit(+succeeded)}`]),
    ...(from === undefined ? [] : [row("started_at", ">=", from)]),
    ...(until === undefined ? [] : [row("started_at", "<", until)]),
  ]);
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
    clientIp: row.client_ip,
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
  };
}
