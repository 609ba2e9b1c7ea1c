import type { EndpointLoad, HostMemoryView, HostModel, HostView } from "../../../wire/host.ts";
import type { ModelWarmth } from "../../routing/modelwarmth.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";

type Source = Pick<Endpoint, "warmth" | "served" | "facts">;

/** Models that are named though they are not loaded. */
const OTHERS_MAX = 6;
/** Loaded models that are named; hardly any memory has more. */
const LOADED_MAX = 200;
/** What others use is told in steps of so many parts: it never stands still. */
const STEPS = 500;

/** What an endpoint has in its memory, as the API shows it. */
export function hostView({ warmth, served, facts }: Source): HostView {
  const idOf = idsByOwnName(served);
  const present: HostModel[] = [];
  const named = new Set<string>();
  for (const [name, model] of warmth.tells ? warmth.known() : []) {
    if (model.aliasOf !== undefined) named.add(name);
    else if (model.state !== "cold") {
      named.add(name);
      present.push(presentModel(idOf.get(name) ?? name, model));
    }
  }
  const others: HostModel[] = [];
  for (const [name, model] of idOf) {
    if (!named.has(name)) others.push({ model, state: warmth.tells ? "cold" : null });
  }
  const models = [...present.slice(0, LOADED_MAX), ...others.slice(0, OTHERS_MAX)];
  const memories = warmth.memories.length > 0 ? warmth.memories : devicesOf(facts);
  return {
    memories: memories.map(inSteps),
    ...{ models, more: present.length + others.length - models.length },
  };
}

/** Our requests at an endpoint, by model. */
export function loadView({ id, load, warmth, served }: Endpoint): EndpointLoad {
  const models: Record<string, number> = {};
  if (load.active > 0) {
    const idOf = idsByOwnName(served);
    for (const [name, { active, aliasOf = name }] of warmth.known()) {
      if (active === 0) continue;
      const model = idOf.get(aliasOf) ?? aliasOf;
      models[model] = (models[model] ?? 0) + active;
    }
  }
  return { id, active: load.active, models };
}

function presentModel(model: string, { state, memoryBytes, bytes, isPinned }: ModelWarmth) {
  return {
    ...{ model, state: state === "unknown" ? null : state },
    ...(memoryBytes === undefined ? {} : { memory: memoryBytes }),
    ...(bytes === undefined ? {} : { size_bytes: bytes }),
    ...(isPinned ? { pinned: true } : {}),
  } satisfies HostModel;
}

/** Of older nodes, which say nothing of what engines have in their devices. */
function devicesOf({ deviceInfo }: Source["facts"]): HostMemoryView[] {
  return (deviceInfo?.gpu_devices ?? []).map((device, i) => ({
    ...{ name: `gpu${i}`, description: device.name },
    ...{ total_bytes: device.total_memory_bytes, other_bytes: device.used_memory_bytes },
  }));
}

function inSteps(memory: HostMemoryView): HostMemoryView {
  const step = Math.max(1, Math.floor(memory.total_bytes / STEPS));
  return { ...memory, other_bytes: Math.round(memory.other_bytes / step) * step };
}

/** The names by which requests name an endpoint's models, by its own names of them. */
function idsByOwnName(served: ReadonlyMap<string, string>): Map<string, string> {
  const ids = new Map<string, string>();
  for (const [id, name] of served) if (!ids.has(name)) ids.set(name, id);
  return ids;
}
