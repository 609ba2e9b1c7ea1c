import { z } from "zod";
import { EndpointStatus } from "./endpoint.ts";
import { LoadedState } from "./loadedstate.ts";
import { RESIDENCY_ACTIONS } from "./residency.ts";

/** A model at one of the endpoints that serve it. */
const ModelPlace = z.object({
  endpoint: z.string(),
  endpoint_id: z.string(),
  status: EndpointStatus,
  state: LoadedState,
  /** Requests of this balancer that it answers now. */
  active_requests: z.number(),
  /** Memory that it takes, or at least the size of its files; null: unknown. */
  size_bytes: z.number().nullable(),
  /** When it is unloaded if nobody asks; RFC 3339. Null: not before its memory is needed. */
  expires_at: z.string().nullable(),
  pinned: z.boolean(),
  /** What the endpoint can be asked to do with it. */
  actions: z.array(z.enum(RESIDENCY_ACTIONS)),
});
export type ModelPlace = z.infer<typeof ModelPlace>;

/** `GET /api/models/{id}/endpoints`: where a model is served. */
export const ModelPlaces = z.object({ model: z.string(), endpoints: z.array(ModelPlace) });
export type ModelPlaces = z.infer<typeof ModelPlaces>;
