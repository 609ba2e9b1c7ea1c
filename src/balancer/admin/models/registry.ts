import type { Settings } from "../../../config/settings.ts";
import type { State } from "../../../db/database.ts";
import { checkArguments } from "../../../engine/argumentcheck.ts";
import type { Logger } from "../../../lib/log.ts";
import { HubClient } from "../../../registry/hubclient.ts";
import type { PreviewNode } from "../../../registry/preview.ts";
import { Registry } from "../../../registry/registry.ts";
import { isInUse } from "../../routing/selection.ts";
import type { Endpoint } from "../../upstream/endpoint.ts";
import type { ModelNames } from "../../upstream/modelnames.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";
import { isNode } from "../nodes/node.ts";

export interface ModelRegistryParts {
  settings: Pick<Settings, "hubUrl" | "hubToken" | "originAllowlist" | "home">;
  state: State;
  pool: UpstreamPool;
  /** Gets the models' names, now and after every change. */
  names: ModelNames;
  log: Logger;
}

/** Opens the registry of models, and keeps the names of its models in `names`. */
export async function openRegistry(parts: ModelRegistryParts): Promise<Registry> {
  const { settings, state, pool, names, log } = parts;
  const { hubUrl, hubToken: token, originAllowlist: allowlist } = settings;
  const registry = new Registry({
    ...{ state, allowlist, log },
    hub: new HubClient({ hubUrl, token, allowlist, cache: state.hubCache, log }),
    devices: () => pool.endpoints.flatMap(({ facts }) => facts.deviceInfo ?? []),
    nodes: () => pool.endpoints.filter(isNode).map(memoryOf),
    argumentFault: (args) => checkArguments(args, { home: settings.home, log }),
    isReady: (all) => all.some((name) => isServed(pool, name)),
  });
  const updateNames = () => names.set("registry", registry.meanings().map(named));
  await registry.load();
  updateNames();
  registry.onChange(updateNames);
  return registry;
}

function named({ id, names, quantization }: ReturnType<Registry["meanings"]>[number]) {
  return { id: quantization === undefined ? id : `${id}:${quantization}`, aliases: names };
}

/** The memory of a node for models, as far as it has told. */
function memoryOf({ name, facts: { deviceInfo }, warmth }: Endpoint): PreviewNode {
  const gpus = deviceInfo?.gpu_devices ?? [];
  const device = gpus.reduce((sum, { total_memory_bytes: bytes }) => sum + bytes, 0);
  const { budgetBytes, freeBytes } = warmth.memory;
  return { name, device, all: budgetBytes, free: freeBytes };
}

function isServed(pool: UpstreamPool, name: string): boolean {
  return pool.serving(pool.idOf(name)).some(isInUse);
}
