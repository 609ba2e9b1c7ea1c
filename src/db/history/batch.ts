import type { Kysely } from "kysely";
import type { BatchStatement } from "../engine/store.ts";
import { facetsOf } from "./facets.ts";
import { NameRows } from "./names.ts";
import {
  type CheckRecord,
  countsAsFailure,
  type MadeResponse,
  type NewRequestRow,
} from "./records.ts";
import type { HistorySchema } from "./schema.ts";
import { historyStatements } from "./statements.ts";
import { UsageSums } from "./usagesums.ts";

/** What was recorded, as it was: rows are made of it only when a batch is written. */
export type HistoryItem =
  | { id: string; request: NewRequestRow }
  | { check: CheckRecord }
  | { response: MadeResponse };

/** The batch that writes requests, their usage and names, checks, and who made which response. */
export function historyBatch(
  items: readonly HistoryItem[],
  sql: ReturnType<typeof historyStatements>,
): BatchStatement[] {
  const requests: unknown[][] = [];
  const checks: unknown[][] = [];
  const responses: unknown[][] = [];
  const usage = new UsageSums();
  const names = new NameRows();
  for (const item of items) {
    if ("check" in item) checks.push(checkRow(item.check));
    else if ("response" in item) responses.push(responseRow(item.response));
    else {
      requests.push(requestRow(item.id, item.request));
      usage.add(item.request, countsAsFailure(item.request));
      names.add(item.request);
    }
  }
  return [
    { sql: sql.request, rows: jsonOf(requests) },
    { sql: sql.check, rows: jsonOf(checks) },
    { sql: sql.usageHours, rows: jsonOf(usage.hours) },
    { sql: sql.usageDays, rows: jsonOf(usage.days) },
    { sql: sql.name, rows: jsonOf(names.rows) },
    { sql: sql.response, rows: jsonOf(responses) },
  ];
}

/** The batch that writes requests and their usage. */
export function requestBatch(
  db: Kysely<HistorySchema>,
  requests: readonly NewRequestRow[],
): BatchStatement[] {
  const items = requests.map((request) => ({ id: request.id ?? Bun.randomUUIDv7(), request }));
  return historyBatch(items, historyStatements(db));
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
    request.userId,
    request.clientIp,
    request.client,
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
    request.costMicros,
    request.attempts ? JSON.stringify(request.attempts) : null,
    facetsOf(request),
    request.requestBody,
    request.responseBody,
  ];
}

function checkRow(check: CheckRecord): unknown[] {
  const { endpointId, checkedAt, succeeded, latencyMs, error, statusBefore, statusAfter } = check;
  return [endpointId, checkedAt, +succeeded, latencyMs, error, statusBefore, statusAfter];
}

function responseRow({ id, upstreamId, model, madeAt }: MadeResponse): unknown[] {
  return [id, upstreamId, model, madeAt];
}

/** All rows as one text: a separate text for each row would cost more than the row itself. */
function jsonOf(rows: unknown[][]): string[] {
  return rows.length === 0 ? [] : [JSON.stringify(rows).slice(1, -1)];
}
