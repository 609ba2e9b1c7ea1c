import { z } from "zod";
import { Device } from "../wire/system.ts";

/** Where an engine listens: a Unix socket, or where there are none, a port with a secret. */
export const EngineAddress = z.union([
  z.object({ unix: z.string() }),
  z.object({ port: z.number(), secret: z.string() }),
]);
export type EngineAddress = z.infer<typeof EngineAddress>;

/** What a loaded engine tells of itself (native/engine.cpp, `describe`). */
export const ModelInfo = z.object({
  slots: z.number(),
  context_tokens: z.number(),
  train_context_tokens: z.number(),
  parameters: z.number(),
  size_bytes: z.number(),
  file_type: z.string(),
  vision: z.boolean(),
  audio: z.boolean(),
  embeddings: z.boolean(),
});
export type ModelInfo = z.infer<typeof ModelInfo>;

/** From the node to its engine process. */
export const ToEngine = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("load"),
    directories: z.array(z.string()),
    /** llama-server's arguments. */
    args: z.array(z.string()),
    /** Where to listen; on Windows a free port is taken instead. */
    socket: z.string(),
    /** Least severe of llama.cpp's log levels to pass on: 1 debug … 4 error. */
    logLevel: z.number(),
  }),
  z.object({ type: z.literal("probe"), directories: z.array(z.string()) }),
  z.object({
    type: z.literal("inspect"),
    directory: z.string(),
    files: z.array(z.string()),
  }),
  z.object({ type: z.literal("stop") }),
]);
export type ToEngine = z.infer<typeof ToEngine>;

/** From an engine process to its node. */
export const FromEngine = z.discriminatedUnion("type", [
  z.object({ type: z.literal("started") }),
  z.object({ type: z.literal("log"), level: z.number(), text: z.string() }),
  z.object({ type: z.literal("progress"), fraction: z.number() }),
  z.object({ type: z.literal("ready"), address: EngineAddress, info: ModelInfo }),
  z.object({ type: z.literal("load_error"), text: z.string() }),
  z.object({ type: z.literal("devices"), devices: z.array(Device), llama_cpp: z.string() }),
  z.object({
    type: z.literal("libraries"),
    libraries: z.array(z.object({ file: z.string(), reason: z.string().optional() })),
  }),
]);
export type FromEngine = z.infer<typeof FromEngine>;
