import { z } from "zod";
import type { Settings } from "../../config/settings.ts";
import { LogLevelBody } from "../../wire/log.ts";
import { EngineMemory, NodeReadiness } from "../../wire/system.ts";

/** How the local node reaches the balancer that started it. */
const LocalBalancer = z.object({
  /** Base URL, from this machine. */
  url: z.string(),
  /** Valid for this run only. */
  secret: z.string(),
  /** The only certificate that it shows; undefined: none, or it does not matter. */
  fingerprint: z.string().optional(),
  /** Whether it answers under its URL; else `balancer_open` says when it does. */
  isOpen: z.boolean(),
});
export type LocalBalancer = z.infer<typeof LocalBalancer>;

/** What a local node sends to the balancer's process. */
export const LocalNodeMessage = z.discriminatedUnion("type", [
  /** It runs and waits for its settings. */
  z.object({ type: z.literal("hello") }),
  z.object({ type: z.literal("listening"), url: z.string(), port: z.number().int() }),
  /** The answer to `hand_over`. */
  z.object({ type: z.literal("handed_over") }),
  /** Sent every `BEAT_MS` while it listens. */
  z.object({ type: z.literal("beat") }),
  /** The answer of its `GET /ready` has changed. */
  z.object({ type: z.literal("readiness"), readiness: NodeReadiness }),
  /** It cannot go on: the whole program is to end. */
  z.object({ type: z.literal("failed"), message: z.string(), exitCode: z.number().int() }),
]);
export type LocalNodeMessage = z.infer<typeof LocalNodeMessage>;

/** What the balancer's process sends to its local node. */
export const ParentMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("settings"),
    // Not parsed again: the same program made them a moment ago.
    settings: z.custom<Settings>((value) => typeof value === "object" && value !== null),
    balancer: LocalBalancer,
    /** What the engines of the node before have. */
    occupiedMemory: EngineMemory,
  }),
  /** They have so much now. */
  z.object({ type: z.literal("occupied"), memory: EngineMemory }),
  /** Another process takes its place: to end what runs in the background, and idle engines. */
  z.object({ type: z.literal("hand_over") }),
  /** The balancer answers under its URL from now on. */
  z.object({ type: z.literal("balancer_open") }),
  /** The balancer shows another certificate from now on. */
  z.object({ type: z.literal("certificate"), fingerprint: z.string() }),
  /** Some settings have changed: these. */
  z.object({
    type: z.literal("reload"),
    settings: z.custom<Partial<Settings>>((value) => typeof value === "object" && value !== null),
  }),
  /** Write log lines from this level on. */
  z.object({ type: z.literal("log_level"), level: LogLevelBody.shape.level }),
  /** Exit once the running requests have ended, after `drainMs` at the latest. */
  z.object({ type: z.literal("stop"), drainMs: z.number().nonnegative() }),
]);
export type ParentMessage = z.infer<typeof ParentMessage>;
