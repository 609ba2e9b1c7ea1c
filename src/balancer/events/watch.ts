import type { EndpointState, LiveEvent, PullStep } from "../../wire/event.ts";

/** How things are at one moment. */
export interface Moment {
  endpoints: readonly EndpointState[];
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
  readonly #states = new Map<string, string>();
  #models: unknown;
  #loaded: unknown;
  #pulls = "[]";

  /** Takes a moment as known, without telling. */
  begin(moment: Moment): void {
    this.#states.clear();
    for (const state of moment.endpoints) this.#states.set(state.id, JSON.stringify(state));
    this.#models = moment.models;
    this.#loaded = moment.loaded;
    this.#pulls = JSON.stringify(moment.pulls.slice(0, PULLS_MAX));
  }

  /** The events that tell what is different now. */
  changes({ endpoints, models, loaded, pulls }: Moment): LiveEvent[] {
    const events = this.#endpointChanges(endpoints);
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
    const changed: EndpointState[] = [];
    const ids = new Set<string>();
    for (const state of endpoints) {
      ids.add(state.id);
      const text = JSON.stringify(state);
      if (this.#states.get(state.id) === text) continue;
      this.#states.set(state.id, text);
      changed.push(state);
    }
    const removed = [...this.#states.keys()].filter((id) => !ids.has(id));
    for (const id of removed) this.#states.delete(id);
    if (changed.length === 0 && removed.length === 0) return [];
    const events: LiveEvent[] = [];
    for (let at = 0; at === 0 || at < changed.length; at += ENDPOINTS_MAX) {
      const part = changed.slice(at, at + ENDPOINTS_MAX);
      events.push({ type: "endpoints", changed: part, removed: at === 0 ? removed : [] });
    }
    return events;
  }
}
