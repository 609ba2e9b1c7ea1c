import type { ExpressionBuilder, Kysely, Selectable } from "kysely";
import { sql } from "kysely";
import type { Store } from "../engine/open.ts";
import { prune } from "../engine/prune.ts";
import type { HistorySchema, RequestsTable } from "../schema.ts";
import { REQUEST_COLUMNS } from "./statements.ts";
import type { HistoryWriter } from "./writer.ts";

/** Where token counts come from: the answer itself, the endpoint's tokenizer, or an estimate. */
export type TokenSource = "usage" | "tokenizer" | "estimate";

const TOKEN_SOURCES: readonly TokenSource[] = ["usage", "tokenizer", "estimate"];

/** The `error` of a request whose client left: counted as a request, not as a failed one. */
export const CLIENT_CLOSED = "client_closed";

/** One request that was answered, refused or broken off. */
export interface RequestRow {
  id: string;
  /** The `x-request-id` of its response; clients may choose it, so it may occur twice. */
  requestId: string;
  /** `chat`, `generate`, `embeddings`, `responses`, `anthropic_messages` … */
  requestType: string;
  model: string;
  /** Null when no endpoint was reached; likewise its name and URL. */
  endpointId: string | null;
  endpointName: string | null;
  endpointUrl: string | null;
  apiKeyId: string | null;
  clientIp: string | null;
  /** Unix ms. */
  startedAt: number;
  completedAt: number;
  streamed: boolean;
  /** Endpoints that were tried in vain before. */
  retries: number;
  succeeded: boolean;
  /** What the client got; null when it left before. */
  httpStatus: number | null;
  error: string | null;
  /** Time in the queue. */
  queueMs: number | null;
  /** Until the first byte of the answer. */
  firstByteMs: number | null;
  durationMs: number;
  inputTokens: number | null;
  outputTokens: number | null;
  /** Input tokens that the endpoint had cached. */
  cachedTokens: number | null;
  tokenSource: TokenSource | null;
}

export interface RequestBodies {
  /** Redacted and cut by whoever recorded them; null where policy keeps them out. */
  requestBody: string | null;
  responseBody: string | null;
}

/** A request that is to be recorded; what can be unknown is null by default. */
export type NewRequestRow = Pick<
  RequestRow,
  "requestId" | "requestType" | "model" | "startedAt" | "durationMs" | "succeeded"
> &
  Partial<RequestRow & RequestBodies> & {
    /** There is such a model: only then it is named in the statistics. Default: true. */
    modelKnown?: boolean;
  };

/** All given conditions hold at once. */
export interface RequestFilter {
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

export interface MinuteCounts {
  /** Unix ms of its beginning. */
  minute: number;
  succeeded: number;
  failed: number;
}

/** Rows read at once while iterating. */
const PAGE = 1000;

/** The request history. */
export class Requests {
  readonly #store: Store<HistorySchema>;
  readonly #reader: Kysely<HistorySchema>;
  readonly #writer: HistoryWriter;

  constructor(store: Store<HistorySchema>, reader: Kysely<HistorySchema>, writer: HistoryWriter) {
    this.#store = store;
    this.#reader = reader;
    this.#writer = writer;
  }

  /**
   * Takes a request into the history and its usage into the statistics, within half a second and
   * without waiting or failing.
   */
  record(request: NewRequestRow): void {
    this.#writer.request(request);
  }

  /** A page of the history, newest first, without bodies, and how many rows fit the filter. */
  async page(
    filter: RequestFilter,
    { limit, offset = 0 }: { limit: number; offset?: number },
  ): Promise<{ records: RequestRow[]; total: number }> {
    const from = this.#reader.selectFrom("requests").where((row) => fits(row, filter));
    const rows = from.select(REQUEST_COLUMNS).orderBy("started_at", "desc").orderBy("seq", "desc");
    const total = await from.select((row) => row.fn.countAll<number>().as("n")).executeTakeFirst();
    const records = await rows.limit(limit).offset(offset).execute();
    return { records: records.map(toRecord), total: total?.n ?? 0 };
  }

  /** A request with its bodies. */
  async get(id: string): Promise<(RequestRow & RequestBodies) | undefined> {
    const query = this.#reader.selectFrom("requests").selectAll().where("id", "=", id);
    const row = await query.executeTakeFirst();
    if (row === undefined) return undefined;
    return { ...toRecord(row), requestBody: row.request_body, responseBody: row.response_body };
  }

  /**
   * Every request that fits, newest first, with bodies, read in small pieces: the history may be
   * larger than memory. What is recorded meanwhile is not part of it.
   */
  async *each(filter: RequestFilter = {}): AsyncGenerator<RequestRow & RequestBodies> {
    let last: { startedAt: number; seq: number } | undefined;
    for (;;) {
      let query = this.#reader.selectFrom("requests").where((row) => fits(row, filter));
      if (last !== undefined) {
        const { startedAt, seq } = last;
        query = query.where(sql<boolean>`(started_at, seq) < (${startedAt}, ${seq})`);
      }
      const rows = await query
        .selectAll()
        .orderBy("started_at", "desc")
        .orderBy("seq", "desc")
        .limit(PAGE)
        .execute();
      for (const row of rows) {
        last = { startedAt: row.started_at, seq: row.seq };
        const { request_body: requestBody, response_body: responseBody } = row;
        yield { ...toRecord(row), requestBody, responseBody };
      }
      if (rows.length < PAGE) return;
    }
  }

  /** Requests by the minute in which they began; minutes without any are left out. */
  async perMinute(from: number, until: number): Promise<MinuteCounts[]> {
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

  /** Forgets requests that began before `before`, in small pieces. Returns how many. */
  prune(before: number, signal?: AbortSignal): Promise<number> {
    return prune(this.#store, { table: "requests", column: "started_at", before }, signal);
  }
}

function fits(row: ExpressionBuilder<HistorySchema, "requests">, filter: RequestFilter) {
  const { model, endpointId, apiKeyId, clientIp, requestType, requestId } = filter;
  const { succeeded, from, until } = filter;
  return row.and([
    ...(model === undefined ? [] : [row("model", "=", model)]),
    ...(endpointId === undefined ? [] : [row("endpoint_id", "=", endpointId)]),
    ...(apiKeyId === undefined ? [] : [row("api_key_id", "=", apiKeyId)]),
    ...(clientIp === undefined ? [] : [row("client_ip", "=", clientIp)]),
    ...(requestType === undefined ? [] : [row("request_type", "=", requestType)]),
    ...(requestId === undefined ? [] : [row("request_id", "=", requestId)]),
    // As a literal: SQLite then knows that its index of failed requests holds them all.
    ...(succeeded === undefined ? [] : [sql<boolean>`succeeded = ${sql.lit(+succeeded)}`]),
    ...(from === undefined ? [] : [row("started_at", ">=", from)]),
    ...(until === undefined ? [] : [row("started_at", "<", until)]),
  ]);
}

type Row = Pick<Selectable<RequestsTable>, (typeof REQUEST_COLUMNS)[number]>;

function toRecord(row: Row): RequestRow {
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
