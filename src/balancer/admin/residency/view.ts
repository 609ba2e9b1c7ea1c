import type { LoadedState } from "../../../wire/loadedstate.ts";
import type { LoadedModel } from "../../../wire/residency.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

/** Models that the endpoints have loaded, are loading or could not load, by name and endpoint. */
export function loadedModels(pool: UpstreamPool): LoadedModel[] {
  return pool.endpoints
    .filter(({ health }) => health.status === "online")
    .flatMap((endpoint) => loadedAt(endpoint))
    .sort((a, b) => (a.model < b.model ? -1 : a.model > b.model ? 1 : 0));
}

/** The state of a model at an endpoint, as the API tells it. */
export function loadedState({ warmth }: Pick<Endpoint, "warmth">, model: string): LoadedState {
  const state = warmth.stateOf(model);
  return state === "unknown" ? null : state;
}

function loadedAt({ name, warmth, served }: Endpoint): LoadedModel[] {
  return [...served.keys()].flatMap((model) => {
    const state = warmth.stateOf(model);
    if (state === "unknown" || state === "cold") return [];
    const { active, bytes, expiresAt, isPinned } = warmth.detailOf(model);
    return {
      ...{ model, endpoint: name, state, active_requests: active },
      ...(bytes === undefined ? {} : { size_bytes: bytes }),
      ...(expiresAt === undefined || state !== "loaded" ? {} : { expires_at: expiresAt }),
      ...(isPinned ? { pinned: true } : {}),
    };
  });
}
