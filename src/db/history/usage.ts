import { type Kysely, type RawBuilder, sql } from "kysely";
import type { RowStore } from "../engine/store.ts";
import { dayOf } from "./day.ts";
import type { HistoryFile } from "./file.ts";
import { type Quantiles, quantilesOf } from "./latency.ts";
import type { HistorySchema } from "./schema.ts";
import { histogramColumns } from "./statements.ts";

/** Sums over requests. */
export interface UsageTotals {
  requests: number;
  succeeded: number;
  failed: number;
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  durationMs: number;
  /** Millionths of the currency of the prices. */
  costMicros: number;
  /** How long successful requests took to the first byte, and in all; null without any. */
  firstByte: Quantiles | null;
  duration: Quantiles | null;
}

/** A sum over the requests of one period, of one group, or both. */
export interface UsageRow extends UsageTotals {
  /** When the hour began (unix ms), the day (`YYYY-MM-DD`) or month (`YYYY-MM`); null: all. */
  period: number | string | null;
  /** A model, or the id of an endpoint, key or user; "" for requests without; null: all. */
  group: string | null;
}

export type UsagePeriod = "hour" | "day" | "month";
export type UsageGroup = "model" | "endpointId" | "apiKeyId" | "userId" | "requestType";

/** All conditions that are present hold at once; a list means any of it. */
export type UsageFilter = { [K in UsageGroup]?: string | readonly string[] } & {
  /** Unix ms. The hours or days with it, and later ones. */
  from?: number;
  /** Unix ms. The hours or days that began before. */
  until?: number;
};

export interface UsageQuery {
  /** Default: no rows of their own for periods. */
  by?: UsagePeriod;
  group?: UsageGroup;
  filter?: UsageFilter;
  /** Most rows, the newest periods. Default: all. */
  limit?: number;
  /** Quantiles cost most of a query's time; false leaves them out. Default: true. */
  withTimes?: boolean;
}

/** Usage by periods and groups, and the sum of it. */
interface UsageRows {
  /** Newest periods first, in each of them the most requests first. */
  rows: UsageRow[];
  /** Of all that fits, beyond the limit as well. */
  totals: UsageTotals;
  /** There are more rows. */
  isTruncated: boolean;
}

const COLUMNS = {
  model: "model",
  endpointId: "endpoint_id",
  apiKeyId: "api_key_id",
  userId: "user_id",
  requestType: "request_type",
} as const satisfies Record<UsageGroup, string>;

const PERIODS = {
  hour: sql`hour`,
  day: sql`day`,
  month: sql`substr(day, 1, 7)`,
} satisfies Record<UsagePeriod, unknown>;

/** The sums of the numbers that are no histograms. */
const SUMS = sql.raw(
  [
    "coalesce(sum(requests), 0) as requests",
    "coalesce(sum(succeeded), 0) as succeeded",
    "coalesce(sum(failed), 0) as failed",
    'coalesce(sum(input_tokens), 0) as "inputTokens"',
    'coalesce(sum(output_tokens), 0) as "outputTokens"',
    'coalesce(sum(cached_tokens), 0) as "cachedTokens"',
    'coalesce(sum(duration_ms), 0) as "durationMs"',
    'coalesce(sum(cost_micros), 0) as "costMicros"',
  ].join(", "),
);

/**
 * The statistics: usage by endpoint, model, key, user and type of request, of each day for ever
 * and of each hour for a while. Every query throws `StorageError`.
 */
export class Usage {
  readonly #reader: Kysely<HistorySchema>;
  readonly #store: RowStore<HistorySchema>;

  constructor({ reader, store }: Pick<HistoryFile, "reader" | "store">) {
    this.#reader = reader.kysely;
    this.#store = store;
  }

  /** The sum of the usage that fits, in whole days. */
  async totals(filter: UsageFilter = {}, withTimes = true): Promise<UsageTotals> {
    return totalsOf(await this.#sum({ filter, withTimes }));
  }

  /** The usage that fits, by periods and groups. */
  async rows(query: UsageQuery): Promise<UsageRows> {
    const { by, group, limit } = query;
    const period = by === undefined ? sql`null` : PERIODS[by];
    const grouped = group === undefined ? sql`null` : sql.ref(COLUMNS[group]);
    const found = await this.#select(query, {
      keys: sql`${period} as period, ${grouped} as "group",`,
      tail: sql`group by ${period}, ${grouped}
        order by ${period} desc, requests desc, ${grouped} limit ${(limit ?? -2) + 1}`,
    });
    const isTruncated = limit !== undefined && found.length > limit;
    const sum = isTruncated ? await this.#sum(query) : found.reduce(added, NOTHING);
    const shown = isTruncated ? found.slice(0, limit) : found;
    const rows = shown.map((row) => ({ period: row.period, group: row.group, ...totalsOf(row) }));
    return { rows, totals: totalsOf(sum), isTruncated };
  }

  /**
   * Forgets the hours before `before` (unix ms), and the oldest ones beyond `rowsMax`; their days
   * stay. Returns how many rows.
   */
  async pruneHours(before: number, rowsMax: number, signal?: AbortSignal): Promise<number> {
    const newest = this.#reader.selectFrom("usage_hours").select("hour").orderBy("hour", "desc");
    const excess = await newest.limit(1).offset(rowsMax).executeTakeFirst();
    const from = excess === undefined ? before : Math.max(before, excess.hour + 1);
    const rows = { table: "usage_hours", key: "hour", column: "hour", before: from };
    return this.#store.prune(rows, signal);
  }

  async #sum(query: UsageQuery): Promise<Sums> {
    const [sum] = await this.#select(query, { keys: sql``, tail: sql`` });
    return sum ?? NOTHING;
  }

  async #select(
    { by, filter = {}, withTimes = true }: UsageQuery,
    { keys, tail }: { keys: RawBuilder<unknown>; tail: RawBuilder<unknown> },
  ): Promise<SumRow[]> {
    const table = sql.table(by === "hour" ? "usage_hours" : "usage_days");
    const times = (of: "first_byte" | "duration") => (withTimes ? histogram(of) : sql`'[]'`);
    const { rows } = await sql<StoredRow>`
      select ${keys} ${SUMS}, ${times("first_byte")} as "firstByte",
        ${times("duration")} as duration
      from ${table} where ${sql.join(conditionsOf(filter, by), sql` and `)} ${tail}`.execute(
      this.#reader,
    );
    return rows.map(({ firstByte, duration, ...row }) => ({
      ...{ ...row, firstByte: countsIn(firstByte), duration: countsIn(duration) },
    }));
  }
}

/** A sum before its quantiles are told. */
type Sums = Omit<UsageTotals, "firstByte" | "duration"> & {
  /** Counts by bucket. */
  firstByte: readonly number[];
  duration: readonly number[];
};
type SumRow = Sums & Pick<UsageRow, "period" | "group">;

/** The same as the database gives it, with histograms in JSON. */
type StoredRow = Omit<SumRow, "firstByte" | "duration"> & { firstByte: string; duration: string };

const NOTHING: Sums = {
  ...{ requests: 0, succeeded: 0, failed: 0, durationMs: 0, costMicros: 0 },
  ...{ inputTokens: 0, outputTokens: 0, cachedTokens: 0, firstByte: [], duration: [] },
};

function added(a: Sums, b: Sums): Sums {
  const buckets = (left: readonly number[], right: readonly number[]) =>
    right.map((count, i) => count + (left[i] ?? 0));
  return {
    requests: a.requests + b.requests,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    durationMs: a.durationMs + b.durationMs,
    costMicros: a.costMicros + b.costMicros,
    firstByte: buckets(a.firstByte, b.firstByte),
    duration: buckets(a.duration, b.duration),
  };
}

function conditionsOf(filter: UsageFilter, by: UsagePeriod | undefined): RawBuilder<unknown>[] {
  const conditions = [sql`true`];
  for (const [name, column] of Object.entries(COLUMNS)) {
    const wanted = filter[name as UsageGroup];
    if (wanted === undefined) continue;
    const values = typeof wanted === "string" ? [wanted] : wanted;
    conditions.push(sql`${sql.ref(column)} in (${sql.join(values)})`);
  }
  const { from, until } = filter;
  if (by === "hour") {
    if (from !== undefined) conditions.push(sql`hour >= ${new Date(from).setMinutes(0, 0, 0)}`);
    if (until !== undefined) conditions.push(sql`hour < ${until}`);
    return conditions;
  }
  if (from !== undefined) conditions.push(sql`day >= ${dayOf(from)}`);
  if (until !== undefined) conditions.push(sql`day <= ${dayOf(until - 1)}`);
  return conditions;
}

/** The sums of a histogram's buckets. */
function histogram(of: "first_byte" | "duration"): RawBuilder<unknown> {
  const sums = histogramColumns(of).map((column) => sql`sum(${sql.ref(column)})`);
  return sql`json_array(${sql.join(sums)})`;
}

function countsIn(json: string): number[] {
  const counts: (number | null)[] = JSON.parse(json);
  return counts.map((count) => count ?? 0);
}

function totalsOf(sums: Sums): UsageTotals {
  const { requests, succeeded, failed, inputTokens, outputTokens, cachedTokens } = sums;
  return {
    ...{ requests, succeeded, failed, inputTokens, outputTokens, cachedTokens },
    ...{ durationMs: sums.durationMs, costMicros: sums.costMicros },
    ...{ firstByte: quantilesOf(sums.firstByte), duration: quantilesOf(sums.duration) },
  };
}
