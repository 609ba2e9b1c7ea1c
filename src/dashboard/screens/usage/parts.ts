import type { UsageNumbers, UsageReport, UsageRowView } from "../../../wire/usage.ts";

/** What of a row is drawn. */
export const MEASURES = ["tokens", "requests", "cost"] as const;
export type Measure = (typeof MEASURES)[number];

/** Groups with a colour of their own; the rest is one. */
const GROUPS_MAX = 5;

export interface UsagePart {
  /** Null: all that have no colour of their own. */
  row: Pick<UsageRowView, "group" | "name"> | null;
  color: string;
  values: number[];
}

/** A measure of one row. */
function measureOf(numbers: UsageNumbers, measure: Measure): number {
  if (measure === "tokens") return numbers.total_tokens;
  return measure === "cost" ? numbers.cost : numbers.requests;
}

/** The rows of a table: of each group over all periods, or without groups of each period. */
export function sumsOf({ rows, group }: Pick<UsageReport, "rows" | "group">): UsageRowView[] {
  if (group === null) return [...rows];
  const sums = new Map<string | null, UsageRowView>();
  for (const row of rows) {
    const known = sums.get(row.group);
    sums.set(row.group, known === undefined ? { ...row, ...NO_PERIOD } : added(known, row));
  }
  return [...sums.values()];
}

/** Quantiles cannot be added up. */
const NO_PERIOD = { period: null, first_byte_ms: null, duration_ms: null };

function added(sum: UsageRowView, row: UsageRowView): UsageRowView {
  const numbers = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[];
  const sums = numbers.map((name) => [name, sum[name] + row[name]] as const);
  return { ...sum, ...(Object.fromEntries(sums) as typeof NUMBERS) };
}

const NUMBERS = {
  ...{ requests: 0, succeeded: 0, failed: 0, input_tokens: 0, output_tokens: 0 },
  ...{ cached_tokens: 0, total_tokens: 0, cost: 0 },
};

/** What the bars of some periods consist of: the largest groups, and all others together. */
export function partsOf(
  { rows }: Pick<UsageReport, "rows">,
  periods: readonly string[],
  measure: Measure,
): UsagePart[] {
  const indexes = new Map(periods.map((period, i) => [period, i]));
  const groups = new Map<string | null, { row: UsageRowView; sum: number }>();
  for (const row of rows) {
    const known = groups.get(row.group);
    const sum = (known?.sum ?? 0) + measureOf(row, measure);
    groups.set(row.group, { row, sum });
  }
  const largest = [...groups.values()].filter(({ sum }) => sum > 0);
  largest.sort((a, b) => b.sum - a.sum);
  // Of one too many the last is itself rather than the rest.
  const ownMax = largest.length === GROUPS_MAX + 1 ? GROUPS_MAX + 1 : GROUPS_MAX;
  const zeros = () => periods.map(() => 0);
  const parts = largest.slice(0, ownMax).map(
    ({ row }, i): UsagePart => ({
      ...{ row, values: zeros() },
      color: i < GROUPS_MAX ? `--part-${i + 1}` : "--part-rest",
    }),
  );
  const byGroup = new Map(parts.map((part) => [part.row?.group, part]));
  const rest: UsagePart = { row: null, color: "--part-rest", values: zeros() };
  for (const row of rows) {
    const at = indexes.get(row.period ?? "");
    if (at === undefined) continue;
    const part = byGroup.get(row.group) ?? rest;
    part.values[at] = (part.values[at] ?? 0) + measureOf(row, measure);
  }
  return rest.values.some((value) => value > 0) ? [...parts, rest] : parts;
}
