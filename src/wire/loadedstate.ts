import { z } from "zod";

/** Whether a model is in an endpoint's memory; null: it does not tell. */
export const LoadedState = z.enum(["loaded", "loading", "cold", "failed"]).nullable();
export type LoadedState = z.infer<typeof LoadedState>;
