import { backoffMs } from "../../lib/backoff.ts";
import type { EndpointStatus } from "../../wire/endpoint.ts";

/** Whether an endpoint can be used, as far as we know. */
export type HealthStatus = "pending" | "online" | "offline";

export interface Health {
  status: HealthStatus;
  /** Failed checks, and broken requests while online, since the last check that succeeded. */
  failures: number;
}

/**
 * What can happen to an endpoint: a check succeeded or failed, a first look at a new one failed, a
 * request broke off, or it said that it leaves.
 */
export type HealthEvent = "check_ok" | "check_failed" | "look_failed" | "request_broke" | "left";

/** An endpoint that was never checked. */
export const PENDING: Health = { status: "pending", failures: 0 };

/** Failures in a row that take an online endpoint off. */
const FAILURES_MAX = 2;

/** The first checks after a failure come sooner than the regular ones. */
const FIRST_RECHECK_MS = 1000;

/**
 * The next state of an endpoint; `left` makes any of them offline.
 *
 * | state              | shown   | `check_ok` | `check_failed` | `look_failed` | `request_broke` |
 * |--------------------|---------|------------|----------------|---------------|-----------------|
 * | pending            | pending | online     | offline        | pending       | pending         |
 * | online, 0 failures | online  | online, 0  | online, 1      | online, 1     | online, 1       |
 * | online, 1 failure  | error   | online, 0  | offline        | offline       | online, 1       |
 * | offline            | offline | online, 0  | offline        | offline       | offline         |
 *
 * One failure takes no endpoint out of use, it is only shown (`error`): it is checked again a
 * second later. A broken request alone never takes an endpoint off, it may be the request's own
 * fault; it calls for a check at once, and if that fails too, these are two. An endpoint that is
 * registered while it is still down stays pending for one interval (`look_failed`).
 */
export function nextHealth({ status, failures }: Health, event: HealthEvent): Health {
  switch (event) {
    case "check_ok":
      return { status: "online", failures: 0 };
    case "left":
      return { status: "offline", failures };
    case "look_failed":
    case "check_failed": {
      if (event === "look_failed" && status === "pending")
        return { status, failures: failures + 1 };
      const count = failures + 1;
      const online = status === "online" && count < FAILURES_MAX;
      return { status: online ? "online" : "offline", failures: count };
    }
    case "request_broke":
      return status === "online" ? { status, failures: 1 } : { status, failures };
  }
}

/** The state as it is shown and stored. */
export function shownStatus({ status, failures }: Health): EndpointStatus {
  return status === "online" && failures > 0 ? "error" : status;
}

/**
 * Milliseconds until the next check: `intervalMs` when all is well, after failures a back-off from
 * 1 s up to that. `jitter` (0..1) moves it by up to 10 % so that checks do not fall together.
 */
export function nextCheckMs({ failures }: Health, intervalMs: number, jitter: number): number {
  const regular =
    failures === 0
      ? intervalMs
      : backoffMs(failures - 1, { firstMs: FIRST_RECHECK_MS, maxMs: intervalMs });
  return Math.round(regular * (0.9 + 0.2 * jitter));
}
