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
  /** Most rows, the newest periods. */
  limit?: number;
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

  /** The sum of the usage that fits, by hours if `by` says so, else in whole days. */
  async totals(filter: UsageFilter = {}, by?: UsagePeriod): Promise<UsageTotals> {
    const [sum] = await this.#select(by, filter, sql``);
    if (sum === undefined) throw new Error("A sum has one row.");
    return totalsOf(sum);
  }

  /** The usage that fits, newest periods first, in each of them the most requests first. */
  async rows({ by, group, filter = {}, limit = -1 }: UsageQuery): Promise<UsageRow[]> {
    const period = by === undefined ? sql`null` : PERIODS[by];
    const grouped = group === undefined ? sql`null` : sql.ref(COLUMNS[group]);
    const rows = await this.#select(
      by,
      filter,
      sql`group by ${period}, ${grouped}
        order by ${period} desc, requests desc, ${grouped} limit ${limit}`,
      sql`${period} as period, ${grouped} as "group",`,
    );
    return rows.map((row) => ({ period: row.period, group: row.group, ...totalsOf(row) }));
  }

  /** Forgets the hours before `before` (unix ms); their days stay. Returns how many rows. */
  pruneHours(before: number, signal?: AbortSignal): Promise<number> {
    return this.#store.prune({ table: "usage_hours", key: "hour", column: "hour", before }, signal);
  }

  async #select(
    by: UsagePeriod | undefined,
    filter: UsageFilter,
    tail: RawBuilder<unknown>,
    more = sql``,
  ): Promise<SumRow[]> {
    const table = sql.table(by === "hour" ? "usage_hours" : "usage_days");
    const { rows } = await sql<SumRow>`
      select ${more} ${SUMS}, ${histogram("first_byte")} as "firstByte",
        ${histogram("duration")} as "duration"
      from ${table} where ${sql.join(conditionsOf(filter, by), sql` and `)} ${tail}`.execute(
      this.#reader,
    );
    return rows;
  }
}

/** A row as the database gives it. */
interface SumRow extends Omit<UsageRow, "firstByte" | "duration"> {
  /** JSON of a histogram. */
  firstByte: string;
  duration: string;
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

function totalsOf({ period, group, firstByte, duration, ...sums }: SumRow): UsageTotals {
  return { ...sums, firstByte: quantilesIn(firstByte), duration: quantilesIn(duration) };
}

function quantilesIn(json: string): Quantiles | null {
  const counts: (number | null)[] = JSON.parse(json);
  return quantilesOf(counts.map((count) => count ?? 0));
}
