import { z } from "zod";

/** The classes of the queue, the one that is served most first. */
const PRIORITIES = ["high", "normal", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

const count = () => z.int().min(0).max(Number.MAX_SAFE_INTEGER).nullable();
/** Money, in the currency of the prices. */
const money = () => z.number().min(0).nullable();

/** What a key or a user may use at most; null: no limit of its own. Days and months are UTC's. */
export const Limits = z.strictObject({
  requests_per_minute: count(),
  tokens_per_minute: count(),
  concurrent_requests: count(),
  tokens_per_day: count(),
  tokens_per_month: count(),
  cost_per_day: money(),
  cost_per_month: money(),
  priority: z.enum(PRIORITIES).nullable(),
});
export type Limits = z.infer<typeof Limits>;

/** A limit in words: "60 requests per minute", "cost of 20 per month", "priority low". */
export function limitText(limit: keyof Limits, value: number | string): string {
  if (limit === "priority") return `priority ${value}`;
  const [what = "", ...period] = limit.split("_");
  if (what === "cost") return `cost of ${value} ${period.join(" ")}`;
  if (limit === "concurrent_requests")
    return `${value} ${value === 1 ? "request" : "requests"} at a time`;
  return `${value} ${value === 1 ? what.slice(0, -1) : what} ${period.join(" ")}`;
}

/** Some of them. */
export const LimitChanges = Limits.partial();

/** The limits with some of them changed; what is absent stays. */
export function withLimits(before: Limits, changes: z.infer<typeof LimitChanges> = {}): Limits {
  const present = Object.entries(changes).filter(([, value]) => value !== undefined);
  return { ...before, ...Object.fromEntries(present) };
}

/** Nothing is limited. */
export const NO_LIMITS: Limits = {
  requests_per_minute: null,
  tokens_per_minute: null,
  concurrent_requests: null,
  tokens_per_day: null,
  tokens_per_month: null,
  cost_per_day: null,
  cost_per_month: null,
  priority: null,
};
