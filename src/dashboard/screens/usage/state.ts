import { useUrlState } from "../../parts/urlstate.ts";

/** What usage is told by; "" is by time alone. */
export const GROUPS = ["model", "user", "key", "endpoint", "type", ""] as const;
export const PERIODS = ["day", "hour", "month"] as const;
/** What it can be narrowed down to, by name or id. */
export const SELECTIONS = ["model", "user", "key", "endpoint", "type"] as const;

const DEFAULTS = {
  ...{ by: "day", group: "model", measure: "tokens", from: "", to: "" },
  ...{ model: "", user: "", key: "", endpoint: "", type: "", sort: "-tokens" },
};

export type UsageState = typeof DEFAULTS;

/** What the address says of the screen. */
export function useUsageState() {
  return useUrlState(DEFAULTS);
}

/** One of some values; the first for what is none of them. */
export function oneOf<T extends string>(values: readonly [T, ...T[]], text: string): T {
  return values.find((value) => value === text) ?? values[0];
}

/** The query of a state. */
export function usageQuery(state: UsageState): URLSearchParams {
  const { by, group, from, to } = state;
  const query = new URLSearchParams({ by: oneOf(PERIODS, by) });
  if (group !== "") query.set("group", oneOf(GROUPS, group));
  for (const name of SELECTIONS) if (state[name] !== "") query.set(name, state[name]);
  if (from !== "") query.set("from", from);
  if (to !== "") query.set("to", to);
  return query;
}
