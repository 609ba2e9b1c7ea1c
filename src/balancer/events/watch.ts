import type { EndpointState, LiveEvent, PullStep } from "../../wire/event.ts";
import type { IdentifiedHost } from "./hostviews.ts";

/** How things are at one moment. */
export interface Moment {
  endpoints: readonly EndpointState[];
  /** What they have in their memory. */
  hosts: readonly IdentifiedHost[];
  /** Differs from the one before if other models are registered or served. */
  models: unknown;
  /** Differs from the one before if other models are loaded. */
  loaded: unknown;
  pulls: readonly PullStep[];
}

/** Endpoints that one event tells of; the rest follows in the next ones. */
const ENDPOINTS_MAX = 200;
const PULLS_MAX = 200;

/** Says what has changed since it looked last. */
export class Watch {
  readonly #states: Seen = new Map();
  readonly #hosts: Seen = new Map();
  #models: unknown;
  #loaded: unknown;
  #pulls = "[]";

  /** Takes a moment as known, without telling. */
  begin(moment: Moment): void {
    this.#states.clear();
    this.#hosts.clear();
    changedOf(moment.endpoints, this.#states);
    changedOf(moment.hosts, this.#hosts);
    this.#models = moment.models;
    this.#loaded = moment.loaded;
    this.#pulls = JSON.stringify(moment.pulls.slice(0, PULLS_MAX));
  }

  /** The events that tell what is different now. */
  changes({ endpoints, hosts, models, loaded, pulls }: Moment): LiveEvent[] {
    const events = this.#endpointChanges(endpoints);
    for (const changed of partsOf(changedOf(hosts, this.#hosts)))
      events.push({ type: "hosts", changed });
    if (models !== this.#models) events.push({ type: "models" });
    this.#models = models;
    if (loaded !== this.#loaded) events.push({ type: "loaded" });
    this.#loaded = loaded;
    const shown = pulls.slice(0, PULLS_MAX);
    const text = JSON.stringify(shown);
    if (text !== this.#pulls) events.push({ type: "pulls", pulls: shown });
    this.#pulls = text;
    return events;
  }

  #endpointChanges(endpoints: readonly EndpointState[]): LiveEvent[] {
    const changed = changedOf(endpoints, this.#states);
    const ids = new Set(endpoints.map(({ id }) => id));
    const removed = [...this.#states.keys()].filter((id) => !ids.has(id));
    for (const id of removed) {
      this.#states.delete(id);
      this.#hosts.delete(id);
    }
    const parts = partsOf(changed);
    if (removed.length > 0 && parts.length === 0) parts.push([]);
    return parts.map((part, i) => ({
      ...{ type: "endpoints", changed: part, removed: i === 0 ? removed : [] },
    }));
  }
}

/** What was seen, by id: the object, and what it said. */
type Seen = Map<string, { one: object; text: string }>;

/** Those that say something else than what was seen; from now on that is what was seen. */
function changedOf<T extends { id: string }>(all: readonly T[], seen: Seen): T[] {
  return all.filter((one) => {
    const last = seen.get(one.id);
    if (last?.one === one) return false;
    const text = JSON.stringify(one);
    seen.set(one.id, { one, text });
    return last?.text !== text;
  });
}

function partsOf<T>(all: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += ENDPOINTS_MAX)
    parts.push(all.slice(at, at + ENDPOINTS_MAX));
  return parts;
}
