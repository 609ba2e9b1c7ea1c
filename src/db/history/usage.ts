import { type Kysely, sql } from "kysely";
import type { RowReader } from "../engine/store.ts";
import type { HistorySchema } from "./schema.ts";

/** Sums over requests. */
export interface UsageTotals {
  requests: number;
  succeeded: number;
  failed: number;
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  durationMs: number;
}

/** What usage can be grouped by. The first three are "" for requests that had none. */
type UsageDimension = "endpointId" | "model" | "apiKeyId" | "requestType" | "day" | "month";

/** All conditions that are present hold at once. */
interface UsageFilter {
  endpointId?: string;
  model?: string;
  apiKeyId?: string;
  requestType?: string;
  /** `YYYY-MM-DD`, inclusive, local time of the balancer. */
  fromDay?: string;
  /** Inclusive. */
  untilDay?: string;
}

const EXPRESSIONS = {
  endpointId: sql.ref<string>("endpoint_id"),
  model: sql.ref<string>("model"),
  apiKeyId: sql.ref<string>("api_key_id"),
  requestType: sql.ref<string>("request_type"),
  day: sql.ref<string>("day"),
  month: sql<string>`substr(day, 1, 7)`,
} satisfies Record<UsageDimension, unknown>;

/**
 * The statistics: usage by day, endpoint, model, key and type of request, kept forever. Every query
 * throws `StorageError`.
 */
export class Usage {
  readonly #reader: Kysely<HistorySchema>;

  constructor(reader: RowReader<HistorySchema>) {
    this.#reader = reader.kysely;
  }

  /** The sum of the usage that fits. */
  async totals(filter: UsageFilter = {}): Promise<UsageTotals> {
    return this.#summed(filter).executeTakeFirstOrThrow();
  }

  /** Days with any usage, oldest first. */
  async daily(filter: UsageFilter = {}): Promise<(UsageTotals & { day: string })[]> {
    return this.by("day", filter);
  }

  /** Months (`YYYY-MM`) with any usage, oldest first. */
  async monthly(filter: UsageFilter = {}): Promise<(UsageTotals & { month: string })[]> {
    return this.by("month", filter);
  }

  /** Usage grouped by one dimension, in the order of its values. */
  async by<D extends UsageDimension>(
    dimension: D,
    filter: UsageFilter = {},
  ): Promise<(UsageTotals & Record<D, string>)[]> {
    const expression = EXPRESSIONS[dimension];
    const rows = await this.#summed(filter)
      .select(expression.as("value"))
      .groupBy(expression)
      .orderBy("value")
      .execute();
    return rows.map(
      ({ value, ...totals }) =>
        ({ [dimension]: value, ...totals }) as UsageTotals & Record<D, string>,
    );
  }

  #summed(filter: UsageFilter) {
    const { endpointId, model, apiKeyId, requestType, fromDay, untilDay } = filter;
    let query = this.#reader.selectFrom("usage");
    if (endpointId !== undefined) query = query.where("endpoint_id", "=", endpointId);
    if (model !== undefined) query = query.where("model", "=", model);
    if (apiKeyId !== undefined) query = query.where("api_key_id", "=", apiKeyId);
    if (requestType !== undefined) query = query.where("request_type", "=", requestType);
    if (fromDay !== undefined) query = query.where("day", ">=", fromDay);
    if (untilDay !== undefined) query = query.where("day", "<=", untilDay);
    const sum = (column: string) => sql<number>`coalesce(sum(${sql.ref(column)}), 0)`;
    return query.select([
      sum("requests").as("requests"),
      sum("succeeded").as("succeeded"),
      sum("failed").as("failed"),
      sum("input_tokens").as("inputTokens"),
      sum("output_tokens").as("outputTokens"),
      sum("cached_tokens").as("cachedTokens"),
      sum("duration_ms").as("durationMs"),
    ]);
  }
}

/** The local day of a time (unix ms): `YYYY-MM-DD`. */
export function dayOf(time: number): string {
  const date = new Date(time);
  const [month, day] = [date.getMonth() + 1, date.getDate()].map((n) => `${n}`.padStart(2, "0"));
  return `${date.getFullYear()}-${month}-${day}`;
}
