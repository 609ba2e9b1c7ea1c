import { useSyncExternalStore } from "react";
import type { LiveMetrics, LiveRequest } from "../../wire/event.ts";
import { live } from "./stream.ts";

/** The metrics of the last minutes, oldest first. */
export function useSeries(): readonly LiveMetrics[] {
  return useSyncExternalStore(live.subscribe, () => live.series);
}

/** Requests that run, oldest first. */
export function useRunning(): readonly LiveRequest[] {
  return useSyncExternalStore(live.subscribe, () => live.running);
}
