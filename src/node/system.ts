import { readFileSync } from "node:fs";
import { LLAMA_CPP_VERSION, VERSION } from "../config/version.ts";
import type { Device, NodeModel, NodeSystem } from "../wire/system.ts";
import type { Catalog, ServedModel } from "./models/catalog.ts";
import type { Supervisor } from "./supervisor/supervisor.ts";

/** Decoding lanes of an engine that is not told otherwise (llama.cpp's own default). */
const SLOTS_DEFAULT = 4;

export interface SystemParts {
  catalog: Catalog;
  supervisor: Supervisor;
  /** The operator's llama-server arguments for every engine. */
  engineArgs: string[];
}

/** What a node tells of itself at `GET /api/system`. */
export function describeSystem(devices: Device[], parts: SystemParts): NodeSystem {
  const gpus = devices.filter(({ type }) => type === "gpu" || type === "igpu");
  const models = parts.catalog.list();
  return {
    device: {
      device_type: gpus.length > 0 ? "gpu" : "cpu",
      gpu_devices: gpus.map((gpu) => ({
        name: gpu.description || gpu.name,
        total_memory_bytes: gpu.total_memory_bytes,
        used_memory_bytes: Math.max(0, gpu.total_memory_bytes - gpu.free_memory_bytes),
      })),
    },
    devices,
    llmlb_version: VERSION,
    bun_version: Bun.version,
    llama_cpp_version: LLAMA_CPP_VERSION,
    slots: {
      total: sum(models.map((model) => slotsOf(model, parts))),
      busy: sum(models.map((model) => busyOf(model, parts))),
    },
    models: models.map((model) => describeModel(model, parts)),
  };
}

/** A model's state is that of its first engine that is not unloaded; see `Supervisor.runners`. */
function describeModel(model: ServedModel, parts: SystemParts): NodeModel {
  const reports = parts.supervisor.runners(model.id).map((runner) => runner.report());
  const report = reports.find(({ state }) => state !== "unloaded") ?? reports[0];
  const slots = slotsOf(model, parts);
  return { id: model.id, slots, ...(report ?? { state: "unloaded" }), ...usageOf(model, parts) };
}

/** What a loaded model takes; nothing of one that is not. */
function usageOf(model: ServedModel, { supervisor }: SystemParts): Partial<NodeModel> {
  const loaded = supervisor.runners(model.id).filter(({ readySinceMs }) => readySinceMs);
  const since = Math.min(...loaded.map(({ readySinceMs = Date.now() }) => readySinceMs));
  const engines = loaded.flatMap(({ engine }) => engine ?? []);
  if (engines.length === 0) return {};
  const memory = sum(engines.map(({ pid }) => residentBytes(pid)));
  return {
    busy: sum(loaded.map(({ busy }) => busy)),
    since: new Date(since).toISOString(),
    size_bytes: Math.max(...engines.map(({ info }) => info.sizeBytes)),
    ...(memory > 0 ? { memory_bytes: memory } : {}),
  };
}

/** What a process holds of the host's memory; 0 where that cannot be told (proc(5), status). */
function residentBytes(pid: number): number {
  try {
    const [, kib] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0; // Another system, or the process has just ended.
  }
}

/** The lanes of a model's widest loaded engine, or those that its engine will have. */
function slotsOf(model: ServedModel, { supervisor, engineArgs }: SystemParts): number {
  const loaded = supervisor.runners(model.id).flatMap((runner) => runner.engine?.info.slots ?? []);
  return loaded.length > 0 ? Math.max(...loaded) : slotsAsked([...model.args, ...engineArgs]);
}

function busyOf(model: ServedModel, { supervisor }: SystemParts): number {
  return sum(supervisor.runners(model.id).map((runner) => runner.busy));
}

/** The last `--parallel N` wins, as in llama-server; values below one mean "automatic". */
function slotsAsked(args: string[]): number {
  const at = Math.max(args.lastIndexOf("--parallel"), args.lastIndexOf("-np"));
  const slots = at < 0 ? Number.NaN : Number(args[at + 1]);
  return Number.isInteger(slots) && slots > 0 ? slots : SLOTS_DEFAULT;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
