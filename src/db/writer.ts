import type { Kysely } from "kysely";
import type { Logger } from "../lib/log.ts";
import type { CheckRecord } from "./checks.ts";
import type { EndpointStatus } from "./endpoints.ts";
import { Lane } from "./lane.ts";
import type { Step, Store } from "./open.ts";
import { CLIENT_CLOSED, type NewRequest } from "./requests.ts";
import type { HistorySchema, StateSchema } from "./schema.ts";
import { endpointStatements, historyStatements } from "./statements.ts";
import { dayOf, type Totals } from "./usage.ts";

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
export interface MeasuredLatency {
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
  latency?: MeasuredLatency;
  succeeded: number;
  failed: number;
}

/** A row of history as the JSON of its parameters: made once, small in memory, ready to send. */
interface HistoryItem {
  request?: string;
  bodies?: string;
  check?: string;
  usage?: { key: string; totals: Totals };
}

/** Writes everything that happens often: in batches, never failing or delaying whoever tells it. */
export class Writer {
  readonly #history: Lane<HistoryItem>;
  readonly #news: Lane<EndpointNews>;
  #checks = 0;

  constructor({ state, history, log, rowsMax = 20_000 }: WriterOptions) {
    const sql = historyStatements(history.kysely);
    this.#history = new Lane({
      name: "history",
      log,
      itemsMax: rowsMax,
      bytesOf: ({ request, bodies, check }) =>
        400 + 2 * ((request ?? check ?? "").length + (bodies ?? "").length),
      write: (items) => history.batch(historySteps(items, sql)),
    });
    const update = endpointStatements(state.kysely);
    this.#news = new Lane({
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

  request(request: NewRequest): void {
    const id = request.id ?? Bun.randomUUIDv7();
    this.#history.put(id, requestItem(id, request));
    const { endpointId, succeeded } = request;
    if (typeof endpointId !== "string") return;
    const counts = { succeeded: +succeeded, failed: +isFailure(request) };
    this.#news.put(endpointId, { endpointId, ...counts });
  }

  check(check: CheckRecord): void {
    this.#checks += 1;
    const { endpointId, checkedAt, succeeded, latencyMs, error, statusBefore, statusAfter } = check;
    const row = [endpointId, checkedAt, +succeeded, latencyMs, error, statusBefore, statusAfter];
    this.#history.put(`check ${this.#checks}`, { check: JSON.stringify(row) });
  }

  latency(endpointId: string, latency: MeasuredLatency): void {
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
export function requestSteps(db: Kysely<HistorySchema>, requests: readonly NewRequest[]): Step[] {
  const items = requests.map((request) => requestItem(request.id ?? Bun.randomUUIDv7(), request));
  return historySteps(items, historyStatements(db));
}

function requestItem(id: string, request: NewRequest): HistoryItem {
  const { startedAt, durationMs, requestBody = null, responseBody = null } = request;
  const { completedAt = startedAt + Math.round(durationMs) } = request;
  const row = [
    ...[id, request.requestId, request.requestType, request.model],
    ...[request.endpointId, request.endpointName, request.endpointUrl],
    ...[request.apiKeyId, request.clientIp, Math.round(startedAt), Math.round(completedAt)],
    ...[+(request.streamed ?? false), request.retries ?? 0, +request.succeeded],
    ...[request.httpStatus, request.error, request.queueMs, request.firstByteMs, durationMs],
    ...[request.inputTokens, request.outputTokens, request.cachedTokens, request.tokenSource],
  ];
  const hasBodies = requestBody !== null || responseBody !== null;
  return {
    request: JSON.stringify(row),
    ...(hasBodies ? { bodies: JSON.stringify([requestBody, responseBody, id]) } : {}),
    usage: usageOf(request),
  };
}

/** A client that left says nothing about the endpoint: that is no success and no failure. */
function isFailure({ succeeded, error }: NewRequest): boolean {
  return !succeeded && error !== CLIENT_CLOSED;
}

/**
 * Names of models come from clients, and usage is never pruned: what was refused as the client's
 * mistake before any endpoint saw it is booked under no model.
 */
function usageOf(request: NewRequest): { key: string; totals: Totals } {
  const { endpointId, httpStatus, apiKeyId, requestType, succeeded, durationMs } = request;
  const status = httpStatus ?? 0;
  const isMistake = endpointId == null && status >= 400 && status < 500 && status !== 429;
  const model = isMistake ? "" : request.model;
  const day = dayOf(request.startedAt);
  return {
    key: JSON.stringify([day, endpointId ?? "", model, apiKeyId ?? "", requestType]),
    totals: {
      requests: 1,
      succeeded: +succeeded,
      failed: +isFailure(request),
      inputTokens: request.inputTokens ?? 0,
      outputTokens: request.outputTokens ?? 0,
      cachedTokens: request.cachedTokens ?? 0,
      durationMs,
    },
  };
}

function historySteps(items: HistoryItem[], sql: ReturnType<typeof historyStatements>) {
  const usage = new Map<string, Totals>();
  for (const { usage: one } of items) {
    if (one !== undefined) usage.set(one.key, added(usage.get(one.key), one.totals));
  }
  return [
    { sql: sql.request, rows: items.flatMap(({ request }) => request ?? []) },
    { sql: sql.bodies, rows: items.flatMap(({ bodies }) => bodies ?? []) },
    { sql: sql.check, rows: items.flatMap(({ check }) => check ?? []) },
    { sql: sql.usage, rows: [...usage].map(usageRow) },
  ];
}

function added(sum: Totals | undefined, more: Totals): Totals {
  if (sum === undefined) return more;
  return {
    requests: sum.requests + more.requests,
    succeeded: sum.succeeded + more.succeeded,
    failed: sum.failed + more.failed,
    inputTokens: sum.inputTokens + more.inputTokens,
    outputTokens: sum.outputTokens + more.outputTokens,
    cachedTokens: sum.cachedTokens + more.cachedTokens,
    durationMs: sum.durationMs + more.durationMs,
  };
}

function usageRow([key, totals]: [string, Totals]): string {
  const { requests, succeeded, failed, inputTokens, outputTokens, cachedTokens } = totals;
  const sums = [requests, succeeded, failed, inputTokens, outputTokens, cachedTokens];
  return `${key.slice(0, -1)},${sums},${totals.durationMs}]`;
}

function mergeNews(older: EndpointNews, newer: EndpointNews): EndpointNews {
  const succeeded = older.succeeded + newer.succeeded;
  return { ...older, ...newer, succeeded, failed: older.failed + newer.failed };
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
