import type { Priority } from "../../wire/limits.ts";
import type { Circuits } from "./circuits.ts";
import type { Grant } from "./grant.ts";
import type { Latency } from "./latency.ts";
import type { Load } from "./load.ts";
import type { Candidate } from "./selection.ts";
import type { Warmth } from "./warmth.ts";

/** An endpoint as the scheduler needs it. */
export interface Routable extends Candidate {
  readonly load: Load;
  readonly latency: Latency;
  readonly circuits: Circuits;
  readonly warmth: Warmth;
  /** The names by which requests ask it for models, e.g. a Map's keys. */
  readonly served: NameSet;
}

/** What a request needs of an endpoint beyond its model; made once, never per request. */
export interface Requirement<E> {
  /** Tells one requirement from another, e.g. `/v1/messages vision`. There are few. */
  readonly key: string;
  isMetBy(endpoint: E, model: string): boolean;
}

/** A Set of names or a Map by name. */
export interface NameSet {
  readonly size: number;
  has(name: string): boolean;
  keys(): Iterable<string>;
}

/** A request for a slot of some endpoint. */
export interface SlotRequest<E> {
  model: string;
  /** Default: any endpoint with the model will do. */
  requirement?: Requirement<E> | undefined;
  /** Whose request it is; clients share the slots evenly. */
  client: string;
  /** The class that it waits in; default `normal`. */
  priority?: Priority | undefined;
  nowMs: number;
  /** When it came, if that was earlier; default `nowMs`. */
  sinceMs?: number;
  /** Endpoints that failed it; default none. */
  tried?: readonly E[];
  /** Its answer has begun elsewhere: it goes before all that were not tried; default false. */
  hasBegun?: boolean;
  /** Of its prompt, see `fingerprint`; default none. */
  fingerprint?: Float64Array | undefined;
  /** The model is loading or its endpoints are starting: wait for them, too; default false. */
  expected?: boolean;
  /** What a first call returned with `delay`; it is used up. */
  place?: QueuePlace;
}

/** What a request is told at once. */
export type SlotOutcome<E extends Routable> =
  | { kind: "granted"; grant: Grant<E> }
  | { kind: "queued"; waiting: QueueWait<E> }
  /** Ask again in `delayMs` with `place`, or give it up. */
  | { kind: "delay"; delayMs: number; place: QueuePlace }
  /** The queue is full. */
  | { kind: "rejected" }
  /** No endpoint could take it, now or when a slot gets free. */
  | { kind: "unavailable" }
  | { kind: "closed" };

/** A place in a queue for a request that comes later. */
export interface QueuePlace {
  giveUp(): void;
}

/** A request in a queue. It is there, or it was settled: never both, never neither. */
export interface QueueWait<E extends Routable> {
  /** Called once, with the grant or when the scheduler closes. */
  onSettled: (outcome: { kind: "granted"; grant: Grant<E> } | { kind: "closed" }) => void;
  /** Leaves the queue; false if it was settled before. */
  leave(why: "timeout" | "aborted"): boolean;
}

/** What a scheduler has counted since the start. */
export interface SchedulerCounts {
  granted: number;
  /** Granted after waiting. */
  waited: number;
  waitedMsTotal: number;
  rejected: number;
  timedOut: number;
}
