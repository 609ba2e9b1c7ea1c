import type { Strategy } from "../../config/fields/endpoints.ts";
import { decideColdStart, type HeldLoad, hasRoom, type Startable } from "./coldstart.ts";

/** Why an endpoint was chosen; `load`: it loads the model now, `loading`: it does so already. */
export type Reason =
  | "explore"
  | "re-explore"
  | "prefix"
  | "latency"
  | "least-busy"
  | "round-robin"
  | "load"
  | "loading";

/** What selection looks at in an endpoint. */
export interface Candidate extends Startable {
  readonly health: { readonly status: string };
  /** It gets no further requests; default false. */
  readonly isDraining?: boolean;
  readonly load: {
    readonly slots: number;
    readonly active: number;
    readonly exploring: number;
    readonly lastTurn: number;
  };
  readonly latency: { readonly emaMs: number; readonly sampledAtMs: number };
  readonly circuits: { blockedUntilMs(model: string): number };
}

/** An endpoint that has seen the beginning of the prompt. */
export interface PrefixMatch<T> {
  endpoint: T;
  /** How much of it, in chunks. */
  depth: number;
}

export interface SelectionContext<T> {
  /** The model that the request is for. */
  model: string;
  strategy: Strategy;
  nowMs: number;
  /** Grows by one with every selection; the chosen endpoint's `lastTurn` is then set to it. */
  turn: number;
  /** Endpoints that this request has been to; default none. */
  tried?: readonly T[] | undefined;
  /** Longest first; default none. */
  matches?: readonly PrefixMatch<T>[] | undefined;
  /** Requests that wait for the model; default none. */
  waiting?: number;
}

export type Selection<T> =
  | { endpoint: T; reason: Reason }
  | { none: "no_candidate" }
  | { none: "no_room" }
  /** One would take it, but would have to load the model, which takes longer than to wait. */
  | { none: "no_room"; held: HeldLoad<T> };

/** A measurement older than this may be wrong by now. */
const SAMPLE_AGE_MS_MAX = 5 * 60_000;
/** At most one request in so many measures endpoints again; in quiet times all are long ago. */
const REEXPLORE_TURNS = 16;
/** An endpoint of the same prefix is left for others when it is busier by this factor. */
const OVERLOAD_FACTOR = 3;
/** Endpoints up to this factor slower than the fastest share the prompts that nobody knows. */
const LATENCY_BAND = 1.5;

const NO_ROOM = { none: "no_room" } as const;
const NO_CANDIDATE = { none: "no_candidate" } as const;

/** What one look at all candidates finds, of those that can take the request now. */
interface Survey<T> {
  /** Whether any could take it with a slot. */
  usable: boolean;
  /** Lowest moving average; of equal ones the one chosen longest ago. */
  fastest: T | undefined;
  /** Fewest active requests per slot, likewise. */
  leastBusy: T | undefined;
  /** Chosen longest ago. */
  next: T | undefined;
  /** Never measured and not being measured; chosen longest ago. */
  unmeasured: T | undefined;
  /** Measured long ago and not being measured; chosen longest ago. */
  stale: T | undefined;
}

/**
 * Chooses the endpoint for a request among those that have its model:
 *
 * 1. Out are endpoints that are not online, have an open circuit, or had this request.
 *    None left: no candidate.
 * 2. Out are those without a free slot, and those that would load the model while others begin
 *    the request sooner (`decideColdStart`). None left: no room. If all would load it, or do so,
 *    it says which of them.
 * 3. `round-robin`: the one chosen longest ago. `least-busy`: the fewest active requests per slot.
 * 4. `latency` and `prefix`: one that was never measured and is not being measured goes first, or
 *    it would never be.
 * 5. `prefix`: the one that knows the longest beginning of the prompt, unless its load is over
 *    three times that of the least busy; then the one that knows the next longest. Of several
 *    that know as much, e.g. only what all prompts begin with, the least busy.
 * 6. One that is not being measured, whose measurement is older than 5 minutes and which was not
 *    chosen for 16 turns per candidate.
 * 7. `latency`: the lowest moving average. `prefix`: of those up to 1.5 times slower than that,
 *    the least busy, so that conversations spread over equal endpoints and their caches.
 *
 * Among equals it is always the one chosen longest ago: round-robin.
 */
export function select<T extends Candidate>(
  candidates: readonly T[],
  context: SelectionContext<T>,
): Selection<T> {
  const { model, nowMs, waiting = 0 } = context;
  if (candidates.every(({ warmth }) => warmth.isWarm(model)))
    return selectWarm(candidates, context);
  const open = candidates.filter((one) => isUsable(one, context));
  if (open.length === 0) return NO_CANDIDATE;
  const start = decideColdStart(open, { model, nowMs, waiting });
  if ("among" in start) return selectWarm(start.among, context);
  return "wait" in start ? { none: "no_room", held: start.wait } : start;
}

/** From step 3 on: of these, a request begins as soon at one as at another. */
function selectWarm<T extends Candidate>(
  candidates: readonly T[],
  context: SelectionContext<T>,
): Selection<T> {
  const { strategy, turn, matches } = context;
  const { usable, fastest, leastBusy, next, unmeasured, stale } = survey(candidates, context);
  if (fastest === undefined || leastBusy === undefined || next === undefined) {
    return usable ? NO_ROOM : NO_CANDIDATE;
  }
  if (strategy === "round-robin") return { endpoint: next, reason: strategy };
  if (strategy === "least-busy") return { endpoint: leastBusy, reason: strategy };
  if (unmeasured !== undefined) return { endpoint: unmeasured, reason: "explore" };
  if (strategy === "prefix" && matches !== undefined) {
    const familiar = mostFamiliar(candidates, context, leastBusy);
    if (familiar !== undefined) return { endpoint: familiar, reason: "prefix" };
  }
  const dueTurns = REEXPLORE_TURNS * candidates.length;
  if (stale !== undefined && turn - stale.load.lastTurn >= dueTurns) {
    return { endpoint: stale, reason: "re-explore" };
  }
  if (strategy === "latency") return { endpoint: fastest, reason: "latency" };
  return { endpoint: spread(candidates, context, fastest), reason: "latency" };
}

/** One pass over all candidates; with hundreds of them it is the cost of a selection. */
function survey<T extends Candidate>(
  candidates: readonly T[],
  context: SelectionContext<T>,
): Survey<T> {
  const staleBefore = context.nowMs - SAMPLE_AGE_MS_MAX;
  let usable = false;
  let fastest: T | undefined;
  let leastBusy: T | undefined;
  let next: T | undefined;
  let unmeasured: T | undefined;
  let stale: T | undefined;
  for (const candidate of candidates) {
    if (!isUsable(candidate, context)) continue;
    usable = true;
    if (!hasRoom(candidate)) continue;
    const { latency, load } = candidate;
    const difference = fastest === undefined ? -1 : latency.emaMs - fastest.latency.emaMs;
    // Of two unmeasured ones it is NaN: equal.
    if (difference < 0 || (!(difference > 0) && isEarlier(candidate, fastest))) fastest = candidate;
    if (leastBusy === undefined || comesBefore(candidate, leastBusy)) leastBusy = candidate;
    if (isEarlier(candidate, next)) next = candidate;
    if (load.exploring > 0 || latency.sampledAtMs >= staleBefore) continue;
    if (latency.emaMs === Number.POSITIVE_INFINITY) {
      if (isEarlier(candidate, unmeasured)) unmeasured = candidate;
    } else if (isEarlier(candidate, stale)) stale = candidate;
  }
  return { usable, fastest, leastBusy, next, unmeasured, stale };
}

/** Of the matches that have room and are not too busy the longest; of equal ones the least busy. */
function mostFamiliar<T extends Candidate>(
  candidates: readonly T[],
  context: SelectionContext<T>,
  leastBusy: T,
): T | undefined {
  let best: PrefixMatch<T> | undefined;
  for (const match of context.matches ?? []) {
    if (best !== undefined && match.depth < best.depth) break;
    const { endpoint } = match;
    if (!hasRoom(endpoint) || isOverloaded(endpoint, leastBusy)) continue;
    if (!isUsable(endpoint, context) || !candidates.includes(endpoint)) continue;
    if (best === undefined || comesBefore(endpoint, best.endpoint)) best = match;
  }
  return best?.endpoint;
}

/** The least busy of those that are about as fast as the fastest. */
function spread<T extends Candidate>(
  candidates: readonly T[],
  context: SelectionContext<T>,
  fastest: T,
): T {
  const emaMsMax = fastest.latency.emaMs * LATENCY_BAND;
  let best = fastest;
  for (const candidate of candidates) {
    if (candidate.latency.emaMs > emaMsMax) continue;
    if (!isUsable(candidate, context) || !hasRoom(candidate)) continue;
    if (comesBefore(candidate, best)) best = candidate;
  }
  return best;
}

/** Whether an endpoint takes requests at all: step 1. */
function isUsable<T extends Candidate>(
  candidate: T,
  { model, nowMs, tried }: SelectionContext<T>,
): boolean {
  return isOpen(candidate, model, nowMs) && (tried === undefined || !tried.includes(candidate));
}

/** Whether an endpoint is in use and its circuit for a model lets requests through. */
export function isOpen(candidate: Candidate, model: string, nowMs: number): boolean {
  return isInUse(candidate) && nowMs >= candidate.circuits.blockedUntilMs(model);
}

/** Whether an endpoint is online, and nobody drains it. */
export function isInUse({
  health,
  isDraining = false,
}: Pick<Candidate, "health" | "isDraining">): boolean {
  return health.status === "online" && !isDraining;
}

function isEarlier(candidate: Candidate, other: Candidate | undefined): boolean {
  return other === undefined || candidate.load.lastTurn < other.load.lastTurn;
}

/** Whether a candidate has fewer active requests per slot, or as many and was chosen earlier. */
function comesBefore(candidate: Candidate, other: Candidate): boolean {
  const { load: a } = candidate;
  const { load: b } = other;
  const difference = a.active * b.slots - b.active * a.slots;
  return difference < 0 || (difference === 0 && isEarlier(candidate, other));
}

/** The request itself counts: an idle endpoint would be infinitely less busy than any other. */
function isOverloaded({ load: a }: Candidate, { load: least }: Candidate): boolean {
  return (a.active + 1) * least.slots > OVERLOAD_FACTOR * (least.active + 1) * a.slots;
}
