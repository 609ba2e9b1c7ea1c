import { useSyncExternalStore } from "react";
import type { LiveMetrics, LiveRequest, PullStep } from "../../wire/event.ts";
import type { EndpointLoad } from "../../wire/host.ts";
import { live } from "./stream.ts";

/** The metrics of the last minutes, oldest first. */
export function useSeries(): readonly LiveMetrics[] {
  return useSyncExternalStore(live.subscribe, () => live.series);
}

/** Running requests of endpoints that have any, by the endpoints' ids. */
export function useLoads(): ReadonlyMap<string, EndpointLoad> {
  return useSyncExternalStore(live.subscribe, () => live.loads);
}

/** Requests that wait for a slot, by model. */
export function useQueues(): Readonly<Record<string, number>> {
  return useSyncExternalStore(live.subscribe, () => live.queues);
}

/** Requests that run, oldest first. */
export function useRunning(): readonly LiveRequest[] {
  return useSyncExternalStore(live.subscribe, () => live.running);
}

/** What nodes fetch, or could not fetch. */
export function usePulls(): readonly PullStep[] {
  return useSyncExternalStore(live.subscribe, () => live.pulls);
}
