/** What becomes of a request by how full the queue is. */
export type Admission =
  | { kind: "accept" }
  | { kind: "delay"; delayMs: number }
  | { kind: "reject" };

/** The queue of a model as a new request finds it. */
export interface QueueFill {
  /** Requests that wait. */
  waiting: number;
  /** Requests that may wait. */
  max: number;
}

/** The fill of a queue and who fills it. */
export interface SharedFill extends QueueFill {
  /** Those of the waiting requests that are of the same client. */
  own: number;
  /** Clients with waiting requests, the new one included. */
  clients: number;
}

const DELAY_MS_MIN = 10;
const DELAY_MS_RANGE = 90;

const ACCEPT: Admission = { kind: "accept" };
const REJECT: Admission = { kind: "reject" };

/**
 * Admission by fill alone, thresholds rounded down:
 *
 * 1. Fewer waiting than max/2: accept.
 * 2. Fewer than max×4/5: accept after 10 ms + floor(r × 90 ms), r being the position between the
 *    two thresholds (0 to 1).
 * 3. Otherwise reject.
 */
export function admission({ waiting, max }: QueueFill): Admission {
  const acceptBelow = Math.floor(max / 2);
  const rejectFrom = Math.floor((max * 4) / 5);
  if (waiting < acceptBelow) return ACCEPT;
  if (waiting >= rejectFrom) return REJECT;
  const position = (waiting - acceptBelow) / (rejectFrom - acceptBelow);
  return { kind: "delay", delayMs: DELAY_MS_MIN + Math.floor(position * DELAY_MS_RANGE) };
}

/**
 * Whether a request for which no slot is free may wait:
 *
 * 1. The queue is at its limit: reject.
 * 2. Nobody waits: accept, or a queue for one could never be used.
 * 3. Otherwise by fill, or by what the fill would be if all clients had as many waiting requests
 *    as this one, whichever is milder. So the last fifth of the queue is for those whom others
 *    crowd out, and a client alone is admitted by fill.
 */
export function admit({ waiting, max, own, clients }: SharedFill): Admission {
  if (waiting >= max) return REJECT;
  if (waiting === 0) return ACCEPT;
  const byFill = admission({ waiting, max });
  if (byFill.kind === "accept") return byFill;
  return milder(byFill, admission({ waiting: own * clients, max }));
}

function milder(a: Admission, b: Admission): Admission {
  if (a.kind === "reject" || b.kind === "accept") return b;
  if (b.kind === "reject" || a.kind === "accept") return a;
  return a.delayMs <= b.delayMs ? a : b;
}
