import type { WarmthState } from "./modelwarmth.ts";
import type { Start, StartContext } from "./warmth.ts";

/** An endpoint as far as it matters who has a model loaded. */
export interface Startable {
  readonly load: { readonly slots: number; readonly active: number; readonly lastTurn: number };
  readonly warmth: {
    isWarm(model: string): boolean;
    stateOf(model: string): WarmthState;
    startOf(model: string, at: StartContext): Start;
  };
}

export interface ColdStartContext {
  model: string;
  nowMs: number;
  /** Requests that wait for the model. */
  waiting: number;
}

/** An endpoint that would have to load a model, and how long that would take. */
export interface HeldLoad<E> {
  cold: E;
  loadMs: number;
}

/** Who may begin a request for a model that is not loaded everywhere. */
export type ColdStart<T> =
  /** One of these, which have it loaded. */
  | { among: T[] }
  /** This one, which loads it, or begins to. */
  | { endpoint: T; reason: "loading" | "load" }
  /** None now: a slot is free soon where it is loaded. That one would load it otherwise. */
  | { wait: HeldLoad<T> }
  | { none: "no_room" };

interface Option<T> extends Start {
  endpoint: T;
}

/** Cold endpoints whose loads take up to this factor longer than the shortest are as good. */
const LOAD_BAND = 1.5;

const NO_ROOM = { none: "no_room" } as const;

/**
 * Which of the endpoints that could take a request for a model may have it. The queue of an
 * endpoint is what its requests for the model beyond its slots for it will take, those that wait
 * for it at the balancer included; the shortest load is that of the cold endpoints with a free
 * slot. The first row that somebody fits:
 *
 * | who                                 | if its queue is                       | then        |
 * |-------------------------------------|---------------------------------------|-------------|
 * | has it loaded, and a free slot      | shorter than any load, running or not | among these |
 * | loads it, and has a free slot       | shorter than the shortest load        | the soonest |
 * | has it loaded or loads it, is full  | shorter than the shortest load        | wait        |
 * | cold, and has a free slot           | –                                     | it loads it |
 * | nobody has a free slot              | –                                     | no room     |
 *
 * So a burst for a cold model loads it once, and once more when its queue there is longer than a
 * load. Of cold endpoints, those with memory for it go first: elsewhere another model would be
 * unloaded, so a load counts twice. Of those about equal, the least busy, then the one chosen
 * longest ago.
 */
export function decideColdStart<T extends Startable>(
  candidates: readonly T[],
  context: ColdStartContext,
): ColdStart<T> {
  const options = optionsOf(candidates, context);
  const free = options.filter(({ endpoint }) => hasRoom(endpoint));
  const of = (list: Option<T>[], isIn: (state: WarmthState) => boolean) =>
    list.filter(({ state }) => isIn(state));
  const cold = of(free, isCold);
  const loading = of(free, (state) => state === "loading");
  const leastLoadMs = Math.min(...cold.map(({ loadMs }) => loadMs));
  const soonestMs = Math.min(leastLoadMs, ...loading.map(soonMs));
  const warm = of(free, isLoaded).filter(({ queueMs }) => queueMs <= soonestMs);
  if (warm.length > 0) return { among: warm.map(({ endpoint }) => endpoint) };
  const coming = loading.filter(({ queueMs }) => queueMs <= leastLoadMs);
  const [soonest] = coming.toSorted((a, b) => soonMs(a) - soonMs(b) || order(a, b));
  if (soonest !== undefined) return { endpoint: soonest.endpoint, reason: "loading" };
  const shortest = cold.find(({ loadMs }) => loadMs === leastLoadMs);
  if (shortest === undefined) return NO_ROOM;
  const isShort = ({ state, queueMs }: Option<T>) => !isCold(state) && queueMs <= leastLoadMs;
  if (options.some((one) => !hasRoom(one.endpoint) && isShort(one))) {
    return { wait: { cold: shortest.endpoint, loadMs: leastLoadMs } };
  }
  const [next = shortest] = cold
    .filter(({ loadMs }) => loadMs <= LOAD_BAND * leastLoadMs)
    .sort(order);
  return { endpoint: next.endpoint, reason: "load" };
}

/**
 * Those that wait get slots of whoever has the model or loads it and is full: each of these has a
 * part of them. Whoever has a free slot is none that they want, or they would have it.
 */
function optionsOf<T extends Startable>(
  candidates: readonly T[],
  { model, nowMs, waiting }: ColdStartContext,
): Option<T>[] {
  const full = candidates.filter((one) => !hasRoom(one) && !isCold(one.warmth.stateOf(model)));
  return candidates.map((endpoint) => {
    const { slots, active } = endpoint.load;
    const share = hasRoom(endpoint) ? 0 : waiting / Math.max(1, full.length);
    const start = endpoint.warmth.startOf(model, { nowMs, slots, active, waiting: share });
    return { endpoint, ...start };
  });
}

/** Whether an endpoint has a free slot. */
export function hasRoom({ load }: Pick<Startable, "load">): boolean {
  return load.active < load.slots;
}

/** Whether a model would have to be loaded first, which nobody has begun. */
export function isCold(state: WarmthState): boolean {
  return state === "cold" || state === "failed";
}

function isLoaded(state: WarmthState): boolean {
  return state === "loaded" || state === "unknown";
}

function soonMs({ loadMs, queueMs }: Start): number {
  return loadMs + queueMs;
}

/** The least busy first, then the one chosen longest ago. */
function order(
  { endpoint: { load: a } }: Option<Startable>,
  { endpoint: { load: b } }: Option<Startable>,
) {
  return a.active * b.slots - b.active * a.slots || a.lastTurn - b.lastTurn;
}
