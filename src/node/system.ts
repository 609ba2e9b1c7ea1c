import { readFileSync } from "node:fs";
import { LLAMA_CPP_VERSION, VERSION } from "../config/version.ts";
import type { Device, LoadedModels, NodeModel, NodeSystem } from "../wire/system.ts";
import { describeHardware } from "./hardware.ts";
import type { Catalog, ServedModel } from "./models/catalog.ts";
import type { ModelSizes } from "./models/modelsizes.ts";
import type { HostMemories } from "./supervisor/room/memories.ts";
import { ALL, totalOf } from "./supervisor/room/memory.ts";
import type { Supervisor } from "./supervisor/supervisor.ts";
import type { Lender } from "./workers/lender.ts";

/** Slots of an engine without `--parallel` (llama.cpp's default). */
const SLOTS_DEFAULT = 4;

export interface SystemParts {
  catalog: Catalog;
  supervisor: Supervisor;
  sizes: ModelSizes;
  memories: HostMemories;
}

/** The answer of `GET /api/system`: devices, versions, slots, models. */
export async function describeSystem(
  devices: Device[],
  { home, lender, ...parts }: SystemParts & { home: string; lender: Lender | undefined },
): Promise<NodeSystem> {
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
    ...describeHardware(devices, home),
    llmlb_version: VERSION,
    bun_version: Bun.version,
    llama_cpp_version: LLAMA_CPP_VERSION,
    slots: {
      total: sum(models.map((model) => slotsOf(model, parts))),
      busy: sum(models.map((model) => busyOf(model, parts))),
    },
    ...(await describeLoaded(parts)),
    ...(lender === undefined ? {} : { lending: lender.state() }),
  };
}

/** What is loaded, and how long the rest would take: what a balancer is told when it changes. */
export async function describeLoaded(parts: SystemParts): Promise<LoadedModels> {
  const models = parts.catalog.list();
  const { supervisor, sizes, memories } = parts;
  const [{ budget, used }] = await Promise.all([supervisor.room.usage(), sizes.refresh(models)]);
  return {
    models: models.map((model) => describeNodeModel(model, parts)),
    memory: {
      ...{ budget_bytes: budget[ALL] ?? totalOf(budget), reserved_bytes: totalOf(used) },
      ...(memories.list().length > 0 ? { memories: [...memories.list()] } : {}),
    },
  };
}

/**
 * One model of that answer. It has the state of its first engine that is not unloaded, see
 * `Supervisor.engines`.
 */
export function describeNodeModel(model: ServedModel, parts: SystemParts): NodeModel {
  const all = parts.supervisor.engines(model.id).map((engine) => engine.status());
  const status = all.find(({ state }) => state !== "unloaded") ?? all[0] ?? { state: "unloaded" };
  const bytes = parts.sizes.of(model.id);
  const { workers } = parts.supervisor.asLoaded(model);
  const settings = parts.supervisor.loadSettingsOf(model.id);
  const loadMs = Math.max(...parts.supervisor.engines(model.id).map((engine) => engine.loadMs));
  return {
    id: model.id,
    ...namesOf(model, parts),
    slots: slotsOf(model, parts),
    ...status,
    ...(workers === undefined ? {} : { workers: [...workers] }),
    ...(settings === undefined ? {} : { load_settings: settings }),
    ...(bytes === undefined ? {} : { size_bytes: bytes }),
    ...(loadMs > 0 ? { load_ms: loadMs } : {}),
    ...usageOf(model, parts),
  };
}

/** The other names that it is listed by. */
function namesOf(model: ServedModel, { catalog }: SystemParts): Pick<NodeModel, "names"> {
  const names = catalog.listedAliasesOf(model);
  return names.length > 0 ? { names } : {};
}

/** The load and the memory of a model that is loaded, or only its memory while it loads. */
function usageOf(model: ServedModel, { supervisor }: SystemParts): Partial<NodeModel> {
  const reserved = supervisor.memoryOf(model.id);
  const counted = { reserved_bytes: totalOf(reserved), reserved };
  const loaded = supervisor.engines(model.id).filter(({ readySinceMs }) => readySinceMs);
  const since = Math.min(...loaded.map(({ readySinceMs = Date.now() }) => readySinceMs));
  const engines = loaded.flatMap(({ loadedEngine }) => loadedEngine ?? []);
  if (engines.length === 0) return counted.reserved_bytes > 0 ? counted : {};
  const [expiresMs] = loaded.flatMap((one) => one.expiresMs ?? []).sort((a, b) => b - a);
  const memory = sum(engines.map(({ pid }) => residentBytes(pid)));
  const [shortened] = loaded.flatMap(({ room }) => room.shortened ?? []);
  return {
    busy: sum(loaded.map(({ busy }) => busy)),
    since: new Date(since).toISOString(),
    size_bytes: Math.max(...engines.map(({ info }) => info.sizeBytes)),
    ...(memory > 0 ? { memory_bytes: memory } : {}),
    ...counted,
    context_tokens: Math.max(...engines.map(({ info }) => info.contextTokens)),
    ...(shortened === undefined ? {} : { shortened }),
    ...(loaded.some(({ isPinned }) => isPinned) ? { pinned: true } : {}),
    ...(expiresMs === undefined ? {} : { expires_at: new Date(expiresMs).toISOString() }),
  };
}

/** The resident memory of a process (proc(5), status); 0 if the system does not tell it. */
function residentBytes(pid: number): number {
  try {
    const [, kib] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0; // Another system, or the process has just ended.
  }
}

/** The most slots of a loaded engine of the model, else those that its engine will have. */
function slotsOf(model: ServedModel, { supervisor }: SystemParts): number {
  const engines = supervisor.engines(model.id);
  const loaded = engines.flatMap(({ loadedEngine }) => loadedEngine?.info.slots ?? []);
  return loaded.length > 0 ? Math.max(...loaded) : slotsOfArguments(supervisor.argsOf(model));
}

function busyOf(model: ServedModel, { supervisor }: SystemParts): number {
  return sum(supervisor.engines(model.id).map(({ busy }) => busy));
}

/** The number in the last `--parallel N`. Below 1 it means "automatic" to llama-server. */
function slotsOfArguments(args: string[]): number {
  const at = Math.max(args.lastIndexOf("--parallel"), args.lastIndexOf("-np"));
  const slots = at < 0 ? Number.NaN : Number(args[at + 1]);
  return Number.isInteger(slots) && slots > 0 ? slots : SLOTS_DEFAULT;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
