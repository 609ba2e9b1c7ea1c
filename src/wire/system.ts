import { z } from "zod";
import { HostMemoryView } from "./host.ts";

/** A compute device as ggml reports it. */
export const Device = z.object({
  name: z.string(),
  description: z.string(),
  type: z.enum(["cpu", "gpu", "igpu", "accel"]),
  total_memory_bytes: z.number(),
  free_memory_bytes: z.number(),
});
export type Device = z.infer<typeof Device>;

/** A GPU on a machine's bus, whether models can run on it or not. */
const SeenGpu = z.object({
  /** `NVIDIA`, `AMD` or `Intel`. */
  vendor: z.string(),
  /** On the PCI bus. */
  address: z.string(),
  /** The driver in the kernel; absent: there is none. */
  driver: z.string().optional(),
  /** Absent where the driver is part of the kernel. */
  driver_version: z.string().optional(),
});

/** What a model got less of than it should have, so that it fits. */
export const ShortenedModel = z.object({
  /** Tokens of context, all slots together. */
  context_tokens: z.number().optional(),
  wished_context_tokens: z.number().optional(),
  /** Devices are too small for all of its layers: some are in the host's memory. */
  layers_on_host: z.boolean().optional(),
});
export type ShortenedModel = z.infer<typeof ShortenedModel>;

/** One model of a node and the state of its engine. */
export const NodeModel = z.object({
  id: z.string(),
  /** Other names of it that are listed as models. */
  names: z.array(z.string()).optional(),
  state: z.enum(["unloaded", "loading", "ready", "failed"]),
  slots: z.number(),
  progress: z.number().optional(),
  error: z.string().optional(),
  /** The size of its files. */
  size_bytes: z.number().optional(),
  /** How long its last load took; absent: it was not loaded since the node started. */
  load_ms: z.number().optional(),
  /** Slots in use; like the fields below only of loaded models. */
  busy: z.number().optional(),
  /** When it was loaded; RFC 3339. */
  since: z.string().optional(),
  /** When it is unloaded if nobody asks; absent: not before its memory is needed. RFC 3339. */
  expires_at: z.string().optional(),
  /** It stays loaded, whoever else needs its memory. */
  pinned: z.boolean().optional(),
  /** The nodes whose devices it uses as well. */
  workers: z.array(z.string()).optional(),
  /** The settings that a load has set for it. */
  load_settings: z.record(z.string(), z.unknown()).optional(),
  /** The memory that is counted for it, also while it loads. */
  reserved_bytes: z.number().optional(),
  /** The same by where it is: `host`, or the name of a device. */
  reserved: z.record(z.string(), z.number()).optional(),
  /** Tokens of context in each slot. */
  context_tokens: z.number().optional(),
  shortened: ShortenedModel.optional(),
  /** The host memory that its engines use, where the system reports it. */
  memory_bytes: z.number().optional(),
});
export type NodeModel = z.infer<typeof NodeModel>;

/** What a node has in its memory, and what it could have. */
export const LoadedModels = z.object({
  models: z.array(NodeModel).max(10_000),
  /** For all engines together. */
  memory: z.object({
    budget_bytes: z.number(),
    reserved_bytes: z.number(),
    /** Each memory by itself; absent: an older node, or the system does not tell. */
    memories: z.array(HostMemoryView).max(1000).optional(),
  }),
});
export type LoadedModels = z.infer<typeof LoadedModels>;

/** An engine elsewhere to which a node lends its devices. */
export const Loan = z.object({
  /** The name of the node that runs the engine, as it says itself. */
  head: z.string(),
  /** The address that it connects from. */
  address: z.string(),
  model: z.string(),
  /** RFC 3339. */
  since: z.string(),
  /** The host memory that the engine takes here, where the system reports it. */
  memory_bytes: z.number().optional(),
  /** What went through its tunnel, both ways. */
  transferred_bytes: z.number(),
});
export type Loan = z.infer<typeof Loan>;

/** `GET /api/system` of a node. Older clients read only `device`. */
export const NodeSystem = z.object({
  device: z.object({
    device_type: z.enum(["cpu", "gpu"]),
    gpu_devices: z.array(
      z.object({
        name: z.string(),
        total_memory_bytes: z.number(),
        used_memory_bytes: z.number(),
      }),
    ),
  }),
  devices: z.array(Device),
  /** What engines compute with, such as `cuda`, `vulkan`, `metal`; `cpu` if nothing else. */
  backend: z.string().default("cpu"),
  /** Backends for GPUs that come before it and are not used. */
  skipped_backends: z.array(z.object({ backend: z.string(), reason: z.string() })).default([]),
  gpus: z.array(SeenGpu).default([]),
  llmlb_version: z.string(),
  bun_version: z.string(),
  llama_cpp_version: z.string(),
  slots: z.object({ total: z.number(), busy: z.number() }),
  models: z.array(NodeModel),
  /** For all engines together; absent: an older node. */
  memory: LoadedModels.shape.memory.optional(),
  /** Only of a node that lends its devices to engines elsewhere. */
  lending: z.object({ loans: z.array(Loan), loans_max: z.number() }).optional(),
});
export type NodeSystem = z.infer<typeof NodeSystem>;

/** Bytes that engines have, by the memory that they are in: `host`, or the name of a device. */
export const EngineMemory = z.record(z.string(), z.number().nonnegative());
export type EngineMemory = z.infer<typeof EngineMemory>;

/** What all engines of a node have together. */
export function engineMemoryOf({ models }: NodeSystem): EngineMemory {
  const sum: EngineMemory = {};
  for (const { reserved = {} } of models) {
    for (const [name, bytes] of Object.entries(reserved)) sum[name] = (sum[name] ?? 0) + bytes;
  }
  return sum;
}

/** Whether requests may be sent to a node (`GET /ready`). */
export const NodeReadiness = z.object({
  status: z.enum(["ready", "draining", "syncing", "joining", "loading", "model_failed"]),
  /** Why it has not joined its balancer, or could not load its model. */
  reason: z.string().optional(),
});
export type NodeReadiness = z.infer<typeof NodeReadiness>;
