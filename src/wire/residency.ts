import { z } from "zod";
import { parseKeepAlive } from "./keepalive.ts";
import { LoadedState } from "./loadedstate.ts";
import { RunSettings } from "./runsettings.ts";

const Name = z.string("`model` must be a text").min(1, "`model` must not be empty").max(1024);

/** The body of a node's `POST /api/models/unload`, `pin` and `unpin`. */
export const ResidencyBody = z.strictObject({ model: Name });

/** The body of a node's `POST /api/models/load`. */
export const LoadBody = z.strictObject({
  model: Name,
  /** How long it stays after its last request, as Ollama's clients write it. */
  keep_alive: z
    .union([z.string(), z.number()])
    .refine((value) => (parseKeepAlive(value) ?? 0) > 0, {
      message: "`keep_alive` must be a time such as 5m, or -1 for good; to unload: unload",
    })
    .optional(),
  /** How it runs from now on, instead of what the last load said; `{}`: as set up. */
  settings: RunSettings.optional(),
});

const Endpoint = z.string("`endpoint` must be the name of an endpoint").max(256).optional();

/** The same at a balancer, for one endpoint or for those that it chooses. */
export const FleetResidencyBody = ResidencyBody.extend({ endpoint: Endpoint });
export const FleetLoadBody = LoadBody.extend({ endpoint: Endpoint });
export type FleetLoadBody = z.infer<typeof FleetLoadBody>;

/** What is done to models. */
export const RESIDENCY_ACTIONS = ["load", "unload", "pin", "unpin"] as const;
export type ResidencyAction = (typeof RESIDENCY_ACTIONS)[number];

/** A model at an endpoint that tells what it has loaded. */
export const LoadedModel = z.object({
  model: z.string(),
  endpoint: z.string(),
  state: LoadedState,
  /** Requests of this balancer that it answers now. */
  active_requests: z.number(),
  /** Memory that it takes, or at least the size of its files. */
  size_bytes: z.number().optional(),
  /** When it is unloaded if nobody asks; RFC 3339. Absent: not before its memory is needed. */
  expires_at: z.string().optional(),
  pinned: z.boolean().optional(),
});
export type LoadedModel = z.infer<typeof LoadedModel>;

/** `GET /api/models/loaded` of a balancer: models that are loaded, load, or could not be loaded. */
export const LoadedModelList = z.object({ models: z.array(LoadedModel) });
export type LoadedModelList = z.infer<typeof LoadedModelList>;

/** A balancer's answer to `POST /api/models/load` and the like: how it went at each endpoint. */
export const ResidencyAnswer = z.object({
  model: z.string(),
  endpoints: z.array(
    z.object({ endpoint: z.string(), state: LoadedState, error: z.string().nullable() }),
  ),
});
export type ResidencyAnswer = z.infer<typeof ResidencyAnswer>;
