import { backoffMs } from "../../lib/backoff.ts";
import type { EndpointStatus } from "../../wire/endpoint.ts";

/** Whether an endpoint can be used. */
export type HealthStatus = "pending" | "online" | "offline";

export interface Health {
  status: HealthStatus;
  /** Failed checks, and broken requests while online, since the last check that succeeded. */
  failures: number;
}

/**
 * What changes the health of an endpoint: a check succeeded or failed, a check failed in the grace
 * period of a new endpoint, a request broke off, or a node announced that it leaves.
 */
export type HealthEvent =
  | "check_ok"
  | "check_failed"
  | "grace_check_failed"
  | "request_broke"
  | "node_left";

/** An endpoint that was never checked. */
export const PENDING: Health = { status: "pending", failures: 0 };

/** Failures in a row after which an online endpoint is offline. */
const FAILURES_MAX = 2;

/** Failures in a row after which nobody waits any more for answers of which nothing more comes. */
const HANGING_FAILURES = 3;

/** The first checks after a failure come sooner than the regular ones. */
const FIRST_RECHECK_MS = 1000;

/**
 * The next state of an endpoint. After `node_left`, it is offline whatever it was.
 *
 * | state              | shown   | `check_ok` | `check_failed` | `grace_…`  | `request_broke` |
 * |--------------------|---------|------------|----------------|------------|-----------------|
 * | pending            | pending | online     | offline        | pending    | pending         |
 * | online, 0 failures | online  | online, 0  | online, 1      | online, 1  | online, 1       |
 * | online, 1 failure  | error   | online, 0  | offline        | offline    | online, 1       |
 * | offline            | offline | online, 0  | offline        | offline    | offline         |
 *
 * After one failure an endpoint is shown as `error` and is still used; the next check comes a
 * second later. A broken request alone never makes an endpoint offline, because the request itself
 * may be the cause; the endpoint is checked at once, and if that fails too, there are two failures.
 * An endpoint that is registered before its server runs stays pending for one interval.
 */
export function nextHealth({ status, failures }: Health, event: HealthEvent): Health {
  switch (event) {
    case "check_ok":
      return { status: "online", failures: 0 };
    case "node_left":
      return { status: "offline", failures };
    case "grace_check_failed":
    case "check_failed": {
      const count = failures + 1;
      if (event === "grace_check_failed" && status === "pending")
        return { status, failures: count };
      const isOnline = status === "online" && count < FAILURES_MAX;
      return { status: isOnline ? "online" : "offline", failures: count };
    }
    case "request_broke":
      return status === "online" ? { status, failures: 1 } : { status, failures };
  }
}

/**
 * Whether requests that get nothing more of their answers are to end, or be made elsewhere: not as
 * soon as an endpoint is offline, because one that only stalled would lose all its work.
 */
export function isHanging({ status, failures }: Health): boolean {
  return status === "offline" && failures >= HANGING_FAILURES;
}

/** The status that is shown and saved. */
export function shownStatus({ status, failures }: Health): EndpointStatus {
  return status === "online" && failures > 0 ? "error" : status;
}

/**
 * Milliseconds until the next check: `intervalMs` without failures, else a back-off from 1 s up to
 * `intervalMs`. `jitter` (0..1) changes it by up to 10 %, so that checks spread over time.
 */
export function nextCheckMs({ failures }: Health, intervalMs: number, jitter: number): number {
  const regular =
    failures === 0
      ? intervalMs
      : backoffMs(failures - 1, { firstMs: FIRST_RECHECK_MS, maxMs: intervalMs });
  return Math.round(regular * (0.9 + 0.2 * jitter));
}
