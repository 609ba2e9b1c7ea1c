import type { PullStep } from "../../../wire/event.ts";
import type { LoadedState } from "../../../wire/loadedstate.ts";
import type { LoadedModel } from "../../../wire/residency.ts";
import type { ListedModel } from "../../api/models.ts";

/** How it is with a model, the best first. */
export const MODEL_STATES = [
  ...(["loaded", "ready", "fetching", "waiting", "offline", "failed"] as const),
] as const;
export type ModelState = (typeof MODEL_STATES)[number];

/** Who has put a model there: an operator, an endpoint, or a cloud. */
export const MODEL_SOURCES = ["registered", "found", "cloud"] as const;
export type ModelSource = (typeof MODEL_SOURCES)[number];

/** One model in the list. */
export interface ModelRow {
  model: ListedModel;
  state: ModelState;
  source: ModelSource;
  /** Its endpoints by name, those that have it loaded first. */
  places: { endpoint: string; state: LoadedState }[];
  /** What nodes fetch of it, or could not fetch. */
  pulls: readonly PullStep[];
}

/** What is known besides the list of models. */
export interface ModelFacts {
  loaded: readonly LoadedModel[];
  pulls: readonly PullStep[];
}

/** The models with what is known of each. */
export function rowsOf(models: readonly ListedModel[], { loaded, pulls }: ModelFacts): ModelRow[] {
  const loadedBy = Map.groupBy(loaded, ({ model }) => model);
  const pullsBy = Map.groupBy(pulls, ({ model }) => model.toLowerCase());
  return models.map((model) => {
    const own = loadedBy.get(model.id) ?? [];
    const states = new Map(own.map(({ endpoint, state }) => [endpoint, state]));
    const places = (model.endpoint_ids ?? [])
      .map((endpoint) => ({ endpoint, state: states.get(endpoint) ?? null }))
      .sort((a, b) => rankOf(a.state) - rankOf(b.state));
    const fetched = pullsBy.get(model.id.toLowerCase()) ?? [];
    const state = stateOf(model, { isLoaded: places[0]?.state === "loaded", pulls: fetched });
    return { model, state, source: sourceOf(model), places, pulls: fetched };
  });
}

/**
 * How it is with a model.
 *
 * 1. An endpoint that is online serves it: `loaded` where one has it in its memory, else `ready`.
 * 2. A node fetches it: `fetching`. 3. All that tried could not: `failed`.
 * 4. Endpoints have it, but are not online: `offline`. 5. Nobody has it yet: `waiting`.
 */
export function stateOf(
  { ready, endpoint_ids: endpoints = [], lifecycle_status: lifecycle }: ListedModel,
  { isLoaded, pulls }: { isLoaded: boolean; pulls: readonly Pick<PullStep, "state">[] },
): ModelState {
  if (ready) return isLoaded ? "loaded" : "ready";
  const isFetched = pulls.some(({ state }) => isUnderWay(state));
  if (isFetched || (pulls.length === 0 && lifecycle === "caching")) return "fetching";
  if (pulls.length > 0 || lifecycle === "error") return "failed";
  return endpoints.length > 0 ? "offline" : "waiting";
}

/** Whether a pull in this state goes on. */
export function isUnderWay(state: string): boolean {
  return state === "waiting" || state === "pulling";
}

/** Who has put a model there. */
export function sourceOf(model: Pick<ListedModel, "repo" | "endpoint_ids">): ModelSource {
  if (model.repo !== undefined) return "registered";
  return model.endpoint_ids === undefined ? "cloud" : "found";
}

export interface ModelFilter {
  /** Part of a name, an alias, a description or an endpoint's name. */
  search: string;
  /** Any, where it is "". */
  state: string;
  source: string;
}

/** The rows that a filter lets through. */
export function filtered(
  rows: readonly ModelRow[],
  { search, state, source }: ModelFilter,
): ModelRow[] {
  const part = search.trim().toLowerCase();
  return rows.filter((row) => {
    if (state !== "" && row.state !== state) return false;
    if (source !== "" && row.source !== source) return false;
    const { id, aliases, description = "", endpoint_ids = [] } = row.model;
    const texts = [id, description, ...aliases, ...endpoint_ids];
    return part === "" || texts.some((text) => text.toLowerCase().includes(part));
  });
}

const RANKS = ["loaded", "loading", "failed"];

function rankOf(state: LoadedState): number {
  const rank = RANKS.indexOf(state ?? "");
  return rank < 0 ? RANKS.length : rank;
}

/** The share of a pull that is done; undefined where its size is unknown. */
export function shareOf({ bytes, total_bytes: total }: Pick<PullStep, "bytes" | "total_bytes">) {
  return total > 0 ? Math.min(1, bytes / total) : undefined;
}
