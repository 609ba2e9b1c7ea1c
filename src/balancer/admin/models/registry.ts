import type { Settings } from "../../../config/settings.ts";
import type { State } from "../../../db/database.ts";
import type { Logger } from "../../../lib/log.ts";
import { HubClient } from "../../../registry/hubclient.ts";
import { Registry } from "../../../registry/registry.ts";
import type { ModelNames } from "../../upstream/modelnames.ts";
import type { UpstreamPool } from "../../upstream/pool.ts";

export interface RegisteredParts {
  settings: Pick<Settings, "hubUrl" | "hubToken" | "originAllowlist">;
  state: State;
  pool: UpstreamPool;
  /** Is told of the models' names, now and after every change. */
  names: ModelNames;
  log: Logger;
}

/** Opens the registry of models over what the balancer knows of its endpoints. */
export async function openRegistry(parts: RegisteredParts): Promise<Registry> {
  const { settings, state, pool, names, log } = parts;
  const { hubUrl, hubToken: token, originAllowlist: allowlist } = settings;
  const registry = new Registry({
    ...{ state, allowlist, log },
    hub: new HubClient({ hubUrl, token, cache: state.hubCache, log }),
    devices: () => pool.endpoints.flatMap(({ facts }) => facts.deviceInfo ?? []),
    isReady: (all) => all.some((name) => isServed(pool, name)),
  });
  const tell = () => names.set("registry", registry.meanings().map(named));
  await registry.load();
  tell();
  registry.onChange(tell);
  return registry;
}

/** Names of the nodes that models can be given to. */
export function nodeNames({ endpoints }: UpstreamPool): string[] {
  const isNode = (source: string) => source === "node" || source === "local";
  return endpoints.filter(({ facts }) => isNode(facts.source)).map(({ name }) => name);
}

function named({ id, names, quantization }: ReturnType<Registry["meanings"]>[number]) {
  return { id: quantization === undefined ? id : `${id}:${quantization}`, aliases: names };
}

function isServed(pool: UpstreamPool, name: string): boolean {
  const serving = pool.serving(pool.idOf(name));
  return serving.some(({ health }) => health.status === "online");
}
