import { z } from "zod";
import { Device } from "../wire/system.ts";

/** Where an engine listens: a Unix socket, or on Windows a loopback port with a secret. */
export const EngineAddress = z.union([
  z.object({ unix: z.string() }),
  z.object({ port: z.number(), secret: z.string() }),
]);
export type EngineAddress = z.infer<typeof EngineAddress>;

/** A loaded model's properties, as the library reports them (native/engine.cpp, `describe`). */
export const EngineDescription = z.object({
  slots: z.number(),
  context_tokens: z.number(),
  train_context_tokens: z.number(),
  parameters: z.number(),
  size_bytes: z.number(),
  file_type: z.string(),
  vision: z.boolean(),
  audio: z.boolean(),
  embeddings: z.boolean(),
  memory_bytes: z.record(z.string(), z.number()).optional(),
});
export type EngineDescription = z.infer<typeof EngineDescription>;

/** What a node tells its engine process to do. */
export const EngineCommand = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("load"),
    directories: z.array(z.string()),
    /** llama-server's arguments. */
    args: z.array(z.string()),
    /** Path of the Unix socket to listen on. On Windows the engine takes a free port instead. */
    socket: z.string(),
    /** The lowest of ggml's log levels to pass on: 1 debug … 4 error. */
    logLevel: z.number(),
  }),
  z.object({ type: z.literal("probe"), directories: z.array(z.string()) }),
  z.object({
    type: z.literal("inspect"),
    directory: z.string(),
    files: z.array(z.string()),
  }),
  z.object({
    type: z.literal("lend"),
    directories: z.array(z.string()),
    /** Path of the Unix socket that speaks ggml's RPC protocol. */
    socket: z.string(),
    /** Threads of the processor for what is computed on it. */
    threads: z.number(),
  }),
  z.object({ type: z.literal("stop") }),
]);
export type EngineCommand = z.infer<typeof EngineCommand>;

/** What an engine did with the file of a prompt that it was offered (native/core/promptfiles.h). */
export const PromptFileEvent = z.object({
  file: z.string(),
  /** `unusable`: it is whole, but the engine has no place for it. */
  outcome: z.enum(["restored", "damaged", "unusable"]),
  /** Tokens that the request need not have computed. */
  tokens: z.int().optional(),
  bytes: z.int().optional(),
  /** How long reading took. */
  ms: z.number().optional(),
  why: z.string().optional(),
});
export type PromptFileEvent = z.infer<typeof PromptFileEvent>;

/** What an engine process reports to its node. */
export const EngineEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("started") }),
  z.object({ type: z.literal("log"), level: z.number(), text: z.string() }),
  z.object({ type: z.literal("progress"), fraction: z.number() }),
  z.object({ type: z.literal("ready"), address: EngineAddress, info: EngineDescription }),
  z.object({ type: z.literal("load_error"), text: z.string() }),
  z.object({ type: z.literal("prompt_file"), event: PromptFileEvent }),
  /** Sent regularly by an engine that is ready: how long its decoding loop has owed an answer. */
  z.object({ type: z.literal("beat"), stalled_ms: z.number() }),
  z.object({ type: z.literal("devices"), devices: z.array(Device), llama_cpp: z.string() }),
  /** The devices are lent from now on. */
  z.object({ type: z.literal("lending"), devices: z.array(Device) }),
  z.object({
    type: z.literal("libraries"),
    libraries: z.array(z.object({ file: z.string(), reason: z.string().optional() })),
  }),
]);
export type EngineEvent = z.infer<typeof EngineEvent>;
