import { z } from "zod";

/** Periods of usage; `total`: all of the time that is asked for. */
export const USAGE_PERIODS = ["hour", "day", "month", "total"] as const;

/** What usage is grouped by. */
export const USAGE_GROUPS = ["model", "endpoint", "key", "user", "type"] as const;

/** Half, 95 and 99 of a hundred successful requests took at most so long, in ms. */
const Quantiles = z.object({ p50: z.number(), p95: z.number(), p99: z.number() }).nullable();

/** Sums over requests. */
export const UsageNumbers = z.object({
  requests: z.number(),
  succeeded: z.number(),
  /** A request whose client left is neither. */
  failed: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  /** Input tokens that were in a cache. */
  cached_tokens: z.number(),
  total_tokens: z.number(),
  /** In the currency of the prices; requests for models without a price cost nothing. */
  cost: z.number(),
  first_byte_ms: Quantiles,
  duration_ms: Quantiles,
});
export type UsageNumbers = z.infer<typeof UsageNumbers>;

/** The usage of one period, of one group, or both. */
export const UsageRowView = UsageNumbers.extend({
  /** An hour's beginning (RFC 3339), a day (`YYYY-MM-DD`) or a month (`YYYY-MM`); null: `total`. */
  period: z.string().nullable(),
  /** A model, a type, or an id; "" for requests that have none; null without grouping. */
  group: z.string().nullable(),
  /** What it is called, if that is another word. */
  name: z.string().nullable(),
});
export type UsageRowView = z.infer<typeof UsageRowView>;

/** `GET /api/usage`: newest periods first, in each of them the groups with most requests first. */
export const UsageReport = z.object({
  by: z.enum(USAGE_PERIODS),
  group: z.enum(USAGE_GROUPS).nullable(),
  /** From when to when; whole hours or days are counted. */
  from: z.string(),
  to: z.string(),
  rows: z.array(UsageRowView),
  /** There are more rows, which are left out. */
  truncated: z.boolean(),
  /** Over everything, rows that are left out included. */
  totals: UsageNumbers,
});
export type UsageReport = z.infer<typeof UsageReport>;
