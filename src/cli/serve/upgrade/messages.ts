import { z } from "zod";
import { EngineMemory } from "../../../wire/system.ts";

/** What a process that is to take the place of another tells that one, in this order. */
export const SuccessorMessage = z.discriminatedUnion("type", [
  /** Its settings are right and what it needs is there. */
  z.object({ type: z.literal("started"), version: z.string() }),
  /** It is whole, and answers at this address on loopback. */
  z.object({ type: z.literal("whole"), url: z.string() }),
  /** It takes connections of clients. */
  z.object({ type: z.literal("listening") }),
  /** It cannot go on, and ends. */
  z.object({ type: z.literal("failed"), reason: z.string() }),
]);
export type SuccessorMessage = z.infer<typeof SuccessorMessage>;

/** What the process before tells it. */
export const PredecessorMessage = z.discriminatedUnion("type", [
  /** The data folder is free: become whole. */
  z.object({
    type: z.literal("prepare"),
    /** The port that clients use. */
    port: z.number().int(),
    /** What the engines of the process before have. */
    engineMemory: EngineMemory,
  }),
  /** Listen where clients connect. */
  z.object({ type: z.literal("take") }),
  /** All is yours: the process before only ends what it has begun. */
  z.object({ type: z.literal("go") }),
  /** What its engines have now. */
  z.object({ type: z.literal("engines"), memory: EngineMemory }),
]);
export type PredecessorMessage = z.infer<typeof PredecessorMessage>;
