import { useSyncExternalStore } from "react";
import type { LiveMetrics } from "../../wire/event.ts";
import { live } from "./stream.ts";

/** The metrics of the last minutes, oldest first. */
export function useSeries(): readonly LiveMetrics[] {
  return useSyncExternalStore(live.subscribe, () => live.series);
}
