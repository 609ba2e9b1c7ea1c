import type { Kysely } from "kysely";
import type { Logger } from "../../lib/log.ts";
import type { BatchStatement, Store } from "../engine/open.ts";
import { WriteBehindQueue } from "../engine/writebehind.ts";
import type { HistorySchema, StateSchema } from "../schema.ts";
import type { EndpointStatus } from "../state/endpoints.ts";
import type { CheckRecord } from "./checks.ts";
import { CLIENT_CLOSED, type NewRequestRow } from "./requests.ts";
import { endpointStatements, historyStatements } from "./statements.ts";
import { UsageSums } from "./usagesums.ts";

/** What a health check says of an endpoint. */
export interface EndpointHealth {
  status: EndpointStatus;
  latencyMs: number | null;
  /** Null keeps the last one. */
  lastSeenAt: number | null;
  lastError: string | null;
  errorCount: number;
}

/** Moving average of an endpoint's inference latency; null is unmeasured. */
export interface InferenceLatency {
  ms: number | null;
  measuredAt: number | null;
}

export interface WriterOptions {
  state: Store<StateSchema>;
  history: Store<HistorySchema>;
  log: Logger;
  /** Most rows of history that wait while nothing can be written. Default: 20,000. */
  rowsMax?: number;
}

/** What is to be added to an endpoint's row. */
interface EndpointNews {
  endpointId: string;
  health?: EndpointHealth;
  latency?: InferenceLatency;
  succeeded: number;
  failed: number;
}

/** A row of history as it came: nothing is made of it before it is written, with many others. */
type HistoryItem = { id: string; request: NewRequestRow } | { check: CheckRecord };

/** Writes everything that happens often: in batches, never failing or delaying whoever tells it. */
export class HistoryWriter {
  readonly #history: WriteBehindQueue<HistoryItem>;
  readonly #news: WriteBehindQueue<EndpointNews>;
  #checks = 0;

  constructor({ state, history, log, rowsMax = 20_000 }: WriterOptions) {
    const sql = historyStatements(history.kysely);
    this.#history = new WriteBehindQueue({
      name: "history",
      log,
      itemsMax: rowsMax,
      bytesOf,
      write: (items) => history.batch(historySteps(items, sql)),
    });
    const update = endpointStatements(state.kysely);
    this.#news = new WriteBehindQueue({
      name: "endpoints",
      log,
      bytesOf: () => 200,
      merge: mergeNews,
      write: (items) => state.batch(newsSteps(items, update)),
    });
  }

  /** Rows that were lost since the start because nothing could be written for too long. */
  get dropped(): number {
    return this.#history.dropped + this.#news.dropped;
  }

  /** Rows that are not on disk yet. */
  get pending(): number {
    return this.#history.pending + this.#news.pending;
  }

  request(request: NewRequestRow): void {
    const id = request.id ?? Bun.randomUUIDv7();
    this.#history.put(id, { id, request });
    const { endpointId, succeeded } = request;
    if (typeof endpointId !== "string") return;
    this.#news.put(endpointId, {
      endpointId,
      succeeded: +succeeded,
      failed: +isFailure(request),
    });
  }

  check(check: CheckRecord): void {
    this.#checks += 1;
    this.#history.put(`check ${this.#checks}`, { check });
  }

  latency(endpointId: string, latency: InferenceLatency): void {
    this.#news.put(endpointId, { endpointId, latency, succeeded: 0, failed: 0 });
  }

  health(endpointId: string, health: EndpointHealth): void {
    this.#news.put(endpointId, { endpointId, health, succeeded: 0, failed: 0 });
  }

  /** Writes what waits now; false if it could not be written, then it goes on waiting. */
  async flush(): Promise<boolean> {
    const written = await Promise.all([this.#history.flush(), this.#news.flush()]);
    return written.every(Boolean);
  }

  /** Writes what waits, if that is possible, and stops. */
  async close(): Promise<void> {
    await Promise.all([this.#history.close(), this.#news.close()]);
  }
}

/** The steps that write requests with their bodies and usage. */
export function requestSteps(
  db: Kysely<HistorySchema>,
  requests: readonly NewRequestRow[],
): BatchStatement[] {
  const items = requests.map((request) => ({ id: request.id ?? Bun.randomUUIDv7(), request }));
  return historySteps(items, historyStatements(db));
}

/** Memory that a waiting row takes, about. */
function bytesOf(item: HistoryItem): number {
  if ("check" in item) return 400;
  const { requestBody, responseBody } = item.request;
  return 1600 + 2 * ((requestBody?.length ?? 0) + (responseBody?.length ?? 0));
}

/** The parameters of the statement `request`. */
function requestRow(id: string, request: NewRequestRow): unknown[] {
  const { startedAt, durationMs } = request;
  const { completedAt = startedAt + Math.round(durationMs) } = request;
  return [
    id,
    request.requestId,
    request.requestType,
    request.model,
    request.endpointId,
    request.endpointName,
    request.endpointUrl,
    request.apiKeyId,
    request.clientIp,
    Math.round(startedAt),
    Math.round(completedAt),
    +(request.streamed ?? false),
    request.retries ?? 0,
    +request.succeeded,
    request.httpStatus,
    request.error,
    request.queueMs,
    request.firstByteMs,
    durationMs,
    request.inputTokens,
    request.outputTokens,
    request.cachedTokens,
    request.tokenSource,
    request.requestBody,
    request.responseBody,
  ];
}

function checkRow(check: CheckRecord): unknown[] {
  const { endpointId, checkedAt, succeeded, latencyMs, error, statusBefore, statusAfter } = check;
  return [endpointId, checkedAt, +succeeded, latencyMs, error, statusBefore, statusAfter];
}

/** A client that left says nothing about the endpoint: that is no success and no failure. */
function isFailure({ succeeded, error }: NewRequestRow): boolean {
  return !succeeded && error !== CLIENT_CLOSED;
}

function historySteps(
  items: HistoryItem[],
  sql: ReturnType<typeof historyStatements>,
): BatchStatement[] {
  const requests: unknown[][] = [];
  const checks: unknown[][] = [];
  const usage = new UsageSums();
  for (const item of items) {
    if ("check" in item) checks.push(checkRow(item.check));
    else {
      requests.push(requestRow(item.id, item.request));
      usage.add(item.request, isFailure(item.request));
    }
  }
  return [
    { sql: sql.request, rows: jsonOf(requests) },
    { sql: sql.check, rows: jsonOf(checks) },
    { sql: sql.usage, rows: jsonOf(usage.rows) },
  ];
}

/** All rows in one text: a text for each costs more than what is in it. */
function jsonOf(rows: unknown[][]): string[] {
  return rows.length === 0 ? [] : [JSON.stringify(rows).slice(1, -1)];
}

function mergeNews(older: EndpointNews, newer: EndpointNews): EndpointNews {
  // Most news is that another request has ended: that is counted where it stands.
  if (newer.health !== undefined) older.health = newer.health;
  if (newer.latency !== undefined) older.latency = newer.latency;
  older.succeeded += newer.succeeded;
  older.failed += newer.failed;
  return older;
}

function newsSteps(items: EndpointNews[], sql: ReturnType<typeof endpointStatements>) {
  const counted = items.filter(({ succeeded, failed }) => succeeded + failed > 0);
  return [
    {
      sql: sql.health,
      rows: items.flatMap(({ endpointId, health }) => {
        if (health === undefined) return [];
        const { status, latencyMs, lastSeenAt, lastError, errorCount } = health;
        return JSON.stringify([
          ...[status, latencyMs, lastSeenAt, lastError, errorCount, endpointId],
        ]);
      }),
    },
    {
      sql: sql.latency,
      rows: items.flatMap(({ endpointId, latency }) => {
        if (latency === undefined) return [];
        return JSON.stringify([latency.ms, latency.measuredAt, endpointId]);
      }),
    },
    {
      sql: sql.requests,
      rows: counted.map(({ endpointId, succeeded, failed }) =>
        JSON.stringify([succeeded + failed, succeeded, failed, endpointId]),
      ),
    },
  ];
}
