import { z } from "zod";
import { Device } from "./system.ts";

/** Where a node lends its devices: what it has to lend, or with `Upgrade` a tunnel to them. */
export const LENDING_PATH = "/api/rpc";

/** The header with the version of llama.cpp that a head runs. */
export const LLAMA_CPP_HEADER = "x-llmlb-llama-cpp";

/** `GET /api/rpc`: the devices that a node lends. */
export const LendingOffer = z.object({
  llama_cpp_version: z.string(),
  devices: z.array(Device),
  /** Engines that use them now. */
  loans: z.number(),
  loans_max: z.number(),
});
export type LendingOffer = z.infer<typeof LendingOffer>;

const Name = z
  .string()
  .max(300)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not occur.
  .regex(/^[^\0-\x1f\x7f]*$/, "must have no control characters");

/** The query of `GET /api/rpc`: for whom the devices are. */
export const LendingQuery = z.object({
  /** The name of the node that runs the engine. */
  head: Name.default("unknown"),
  /** Its model. */
  model: Name.default("unknown"),
});

/** `GET /api/nodes/{id}/workers/{name}` of a balancer: a node that lends its devices. */
export const WorkerAnswer = z.object({
  name: z.string(),
  url: z.string(),
  /** Good for a minute; null: the worker asks for none. */
  ticket: z.string().nullable(),
  tls_fingerprint: z.string().optional(),
});
export type WorkerAnswer = z.infer<typeof WorkerAnswer>;

/** The first message in a tunnel, from the worker. */
export const TunnelGreeting = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.literal("failed"), message: z.string() }),
]);
export type TunnelGreeting = z.infer<typeof TunnelGreeting>;
