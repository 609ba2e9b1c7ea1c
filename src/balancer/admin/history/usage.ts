import { z } from "zod";
import type { NameKind } from "../../../db/history/names.ts";
import type { UsageGroup, UsageRow, UsageTotals } from "../../../db/history/usage.ts";
import type { App } from "../../../http/server/app.ts";
import { readQuery } from "../../../http/server/query.ts";
import type { AppContext } from "../../../http/server/scope.ts";
import {
  USAGE_GROUPS,
  USAGE_PERIODS,
  type UsageNumbers,
  type UsageReport,
  type UsageRowView,
} from "../../../wire/usage.ts";
import { SELECTION, selectionOf } from "./filter.ts";
import type { HistoryRouteParts } from "./requests.ts";
import { moneyOf } from "./view.ts";
import { visibilityOf } from "./visibility.ts";

type Group = (typeof USAGE_GROUPS)[number];
type Period = (typeof USAGE_PERIODS)[number];

const ROWS_MAX = 10_000;
const DAYS = 30;
const MONTHS = 12;

const GROUPS = {
  ...({ model: "model", endpoint: "endpointId", key: "apiKeyId" } as const),
  ...({ user: "userId", type: "requestType" } as const),
} satisfies Record<Group, UsageGroup>;

/** The groups that have names beside their ids. */
const NAMED: Partial<Record<Group, NameKind>> = { endpoint: "endpoint", key: "key", user: "user" };

const Query = z.strictObject({
  ...SELECTION,
  by: z.enum(USAGE_PERIODS, `it must be ${USAGE_PERIODS.join(", ")}`).default("day"),
  group: z.enum(USAGE_GROUPS, `it must be ${USAGE_GROUPS.join(", ")}`).optional(),
});

/** `GET /api/usage` and `/v0/usage`: how much was used, by period and group. */
export function routeUsage(app: App, parts: HistoryRouteParts): void {
  const { usage } = parts.state;

  async function report(c: AppContext) {
    const { by, group, ...query } = readQuery(c, Query);
    const to = query.to ?? Date.now();
    const from = query.from ?? startBefore(to, by);
    const filter = await selectionOf(parts, { ...query, from, to }, visibilityOf(c));
    const period = by === "total" ? {} : { by };
    const grouped = group === undefined ? {} : { group: GROUPS[group] };
    const found = await usage.rows({ ...period, ...grouped, filter, limit: ROWS_MAX });
    const names = await namesOf(parts, group, found.rows);
    const answer: UsageReport = {
      ...{ by, group: group ?? null },
      ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      rows: found.rows.map((row) => rowView(row, names)),
      truncated: found.isTruncated,
      totals: numbersOf(found.totals),
    };
    return c.json(answer);
  }

  for (const path of ["/api/usage", "/v0/usage"]) app.get(path, report);
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
