import { z } from "zod";
import { EndpointStatus } from "./endpoint.ts";
import { VersionsView } from "./settings.ts";
import { Device, NodeSystem } from "./system.ts";

/** What an endpoint that is an llmlb runs with, as it told at its last check. */
export const NodeView = z.object({
  endpoint_id: z.string(),
  name: z.string(),
  status: EndpointStatus,
  /** It gets no new requests. */
  draining: z.boolean(),
  versions: VersionsView,
  /** What its engines compute with; null: it does not tell. */
  backend: z.string().nullable(),
  /** Backends for GPUs that are not used, and why. */
  skipped_backends: NodeSystem.shape.skipped_backends.unwrap(),
  /** GPUs on the bus, whether models can run on them or not. */
  gpus: NodeSystem.shape.gpus.unwrap(),
  devices: z.array(Device),
});
export type NodeView = z.infer<typeof NodeView>;

/** `GET /api/nodes`. */
export const NodeList = z.object({ nodes: z.array(NodeView) });
export type NodeList = z.infer<typeof NodeList>;
