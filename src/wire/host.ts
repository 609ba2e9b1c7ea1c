import { z } from "zod";
import { LoadedState } from "./loadedstate.ts";

/** A memory that engines of a host use. */
export const HostMemoryView = z.object({
  /** `host`, or the name of a device that has its own. */
  name: z.string(),
  /** The device, else the processor. */
  description: z.string(),
  total_bytes: z.number().nonnegative(),
  /** What others than this node's engines use. */
  other_bytes: z.number().nonnegative(),
});
export type HostMemoryView = z.infer<typeof HostMemoryView>;

/** A model of an endpoint, on the map of hosts. */
export const HostModel = z.object({
  /** As requests name it. */
  model: z.string(),
  /** Null: the endpoint does not tell. */
  state: LoadedState,
  /** Bytes by the memory that they are in; absent: it does not tell. */
  memory: z.record(z.string(), z.number()).optional(),
  /** Memory that it takes, or at least the size of its files. */
  size_bytes: z.number().optional(),
  pinned: z.boolean().optional(),
});
export type HostModel = z.infer<typeof HostModel>;

/** What an endpoint has in its memory, as far as it tells. */
export const HostView = z.object({
  /** Of each device and the host; empty: it does not tell. */
  memories: z.array(HostMemoryView),
  /** First those that are loaded, load, or could not be; then the first of the others. */
  models: z.array(HostModel),
  /** How many models it has that are not among them. */
  more: z.number(),
});
export type HostView = z.infer<typeof HostView>;

/** Running requests of this balancer at an endpoint. */
export const EndpointLoad = z.object({
  id: z.string(),
  active: z.number(),
  /** The same by model. */
  models: z.record(z.string(), z.number()),
});
export type EndpointLoad = z.infer<typeof EndpointLoad>;
