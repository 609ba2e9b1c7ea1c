import { z } from "zod";
import type { NameKind } from "../../../db/history/names.ts";
import type { UsageGroup, UsageRow, UsageTotals } from "../../../db/history/usage.ts";
import type { App } from "../../../http/server/app.ts";
import { readQuery } from "../../../http/server/query.ts";
import type { AppContext } from "../../../http/server/scope.ts";
import { ApiError } from "../../../wire/error.ts";
import {
  USAGE_GROUPS,
  USAGE_PERIODS,
  type UsageNumbers,
  type UsageReport,
  type UsageRowView,
} from "../../../wire/usage.ts";
import { EXPORT_FORMATS, exportResponse } from "./export.ts";
import { SELECTION, selectionOf } from "./filter.ts";
import type { HistoryRouteParts } from "./requests.ts";
import { moneyOf } from "./view.ts";
import { visibilityOf } from "./visibility.ts";

type Group = (typeof USAGE_GROUPS)[number];
type Period = (typeof USAGE_PERIODS)[number];

const ROWS_MAX = 10_000;
/** A file is read by no page, and must not end early without a word. */
const EXPORT_ROWS_MAX = 200_000;
const DAYS = 30;
const MONTHS = 12;

const GROUPS = {
  ...({ model: "model", endpoint: "endpointId", key: "apiKeyId" } as const),
  ...({ user: "userId", type: "requestType" } as const),
} satisfies Record<Group, UsageGroup>;

/** The groups that have names beside their ids. */
const NAMED: Partial<Record<Group, NameKind>> = { endpoint: "endpoint", key: "key", user: "user" };

export const UsageReportQuery = z.strictObject({
  ...SELECTION,
  by: z.enum(USAGE_PERIODS, `it must be ${USAGE_PERIODS.join(", ")}`).default("day"),
  group: z.enum(USAGE_GROUPS, `it must be ${USAGE_GROUPS.join(", ")}`).optional(),
});

export const UsageExportQuery = UsageReportQuery.extend({
  format: z.enum(EXPORT_FORMATS, "it must be csv or json").default("csv"),
});

/** `GET /api/usage`, `/v0/usage` and their exports: how much was used, by period and group. */
export function routeUsage(app: App, parts: HistoryRouteParts): void {
  const { usage } = parts.state;

  async function reportOf(c: AppContext, given: z.infer<typeof UsageReportQuery>, limit: number) {
    const { by, group, ...query } = given;
    const to = query.to ?? Date.now();
    const from = query.from ?? startBefore(to, by);
    const filter = await selectionOf(parts, { ...query, from, to }, visibilityOf(c));
    const period = by === "total" ? {} : { by };
    const grouped = group === undefined ? {} : { group: GROUPS[group] };
    const found = await usage.rows({ ...period, ...grouped, filter, limit });
    const names = await namesOf(parts, group, found.rows);
    const answer: UsageReport = {
      ...{ by, group: group ?? null },
      ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      rows: found.rows.map((row) => rowView(row, names)),
      truncated: found.isTruncated,
      totals: numbersOf(found.totals),
    };
    return answer;
  }

  async function exportRows(c: AppContext) {
    const { format, ...query } = readQuery(c, UsageExportQuery);
    const { rows, truncated } = await reportOf(c, query, EXPORT_ROWS_MAX);
    if (truncated) throw tooMuchUsage();
    const pages = onePage(rows.map(flatRow));
    return exportResponse(c, { name: "usage", format, columns: COLUMNS, pages });
  }

  for (const path of ["/api/usage", "/v0/usage"]) {
    app.get(path, async (c) => c.json(await reportOf(c, readQuery(c, UsageReportQuery), ROWS_MAX)));
    app.get(`${path}/export`, exportRows);
  }
}

type FlatRow = ReturnType<typeof flatRow>;

/** A row of a table: every number in a column of its own. */
function flatRow({ first_byte_ms, duration_ms, ...row }: UsageRowView) {
  return {
    ...row,
    first_byte_p50_ms: first_byte_ms?.p50 ?? null,
    first_byte_p95_ms: first_byte_ms?.p95 ?? null,
    duration_p50_ms: duration_ms?.p50 ?? null,
    duration_p95_ms: duration_ms?.p95 ?? null,
  };
}

const COLUMNS: readonly (keyof FlatRow)[] = [
  ...(["period", "group", "name", "requests", "succeeded", "failed"] as const),
  ...(["input_tokens", "output_tokens", "cached_tokens", "total_tokens", "cost"] as const),
  ...(["first_byte_p50_ms", "first_byte_p95_ms"] as const),
  ...(["duration_p50_ms", "duration_p95_ms"] as const),
];

async function* onePage<T>(rows: T[]): AsyncGenerator<T[]> {
  yield rows;
}

function tooMuchUsage(): ApiError {
  const message = `The usage was not exported: it has more than ${EXPORT_ROWS_MAX} rows. Choose a \
shorter time, longer periods or no group.`;
  return new ApiError("invalid_request", message, { code: "export_too_large" });
}

/** When what is shown begins, if nobody says: a day, 30 days or 12 months before. */
function startBefore(to: number, by: Period): number {
  const date = new Date(to);
  if (by === "hour") return to - 86_400_000 + 1;
  date.setHours(0, 0, 0, 0);
  if (by === "month") return date.setMonth(date.getMonth() - (MONTHS - 1), 1);
  return date.setDate(date.getDate() - (DAYS - 1));
}

async function namesOf(
  { state, pool }: HistoryRouteParts,
  group: Group | undefined,
  rows: readonly UsageRow[],
): Promise<Map<string, string>> {
  const kind = group === undefined ? undefined : NAMED[group];
  if (kind === undefined) return new Map();
  const ids = rows.map((row) => row.group);
  const names = await state.names.of(kind, ids);
  if (kind === "endpoint") for (const { id, name } of pool.endpoints) names.set(id, name);
  return names;
}

function rowView(row: UsageRow, names: ReadonlyMap<string, string>): UsageRowView {
  const { period, group } = row;
  return {
    period: typeof period === "number" ? new Date(period).toISOString() : period,
    group,
    name: names.get(group ?? "") ?? null,
    ...numbersOf(row),
  };
}

function numbersOf(totals: UsageTotals): UsageNumbers {
  const { requests, succeeded, failed, inputTokens, outputTokens, cachedTokens } = totals;
  return {
    ...{ requests, succeeded, failed },
    ...{ input_tokens: inputTokens, output_tokens: outputTokens, cached_tokens: cachedTokens },
    total_tokens: inputTokens + outputTokens,
    cost: moneyOf(totals.costMicros),
    ...{ first_byte_ms: totals.firstByte, duration_ms: totals.duration },
  };
}
