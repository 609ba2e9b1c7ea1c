import type { Settings } from "../../config/settings.ts";
import type { State } from "../../db/state.ts";
import type { Logger } from "../../lib/log.ts";
import { HubClient } from "../../registry/hub.ts";
import { Registry } from "../../registry/registry.ts";
import type { Fleet } from "../fleet.ts";
import type { Names } from "../names.ts";

export interface RegisteredParts {
  settings: Pick<Settings, "hubUrl" | "hubToken" | "originAllowlist">;
  state: State;
  fleet: Fleet;
  /** Is told of the models' names, now and after every change. */
  names: Names;
  log: Logger;
}

/** Opens the registry of models over what the balancer knows of its endpoints. */
export async function openRegistry(parts: RegisteredParts): Promise<Registry> {
  const { settings, state, fleet, names, log } = parts;
  const { hubUrl, hubToken: token, originAllowlist: allowlist } = settings;
  const registry = new Registry({
    ...{ state, allowlist, log },
    hub: new HubClient({ hubUrl, token, cache: state.hubCache, log }),
    devices: () => fleet.endpoints.flatMap(({ facts }) => facts.deviceInfo ?? []),
    isReady: (all) => all.some((name) => isServed(fleet, name)),
  });
  const tell = () => names.set("registry", registry.meanings().map(named));
  await registry.load();
  tell();
  registry.onChange(tell);
  return registry;
}

/** Names of the nodes that models can be given to. */
export function nodeNames({ endpoints }: Fleet): string[] {
  const isNode = (source: string) => source === "node" || source === "local";
  return endpoints.filter(({ facts }) => isNode(facts.source)).map(({ name }) => name);
}

function named({ id, names, quantization }: ReturnType<Registry["meanings"]>[number]) {
  return { id: quantization === undefined ? id : `${id}:${quantization}`, aliases: names };
}

function isServed(fleet: Fleet, name: string): boolean {
  const serving = fleet.serving(fleet.idOf(name));
  return serving.some(({ health }) => health.status === "online");
}
