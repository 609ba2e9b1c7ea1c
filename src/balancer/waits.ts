import type { Settings } from "../config/settings.ts";
import type { Drain } from "../http/server/drain.ts";
import { AvailabilityWaiters } from "./routing/availability.ts";
import { SlotGate } from "./routing/gate.ts";
import { PrefixIndex } from "./routing/prefix.ts";
import type { Endpoint } from "./upstream/endpoint.ts";
import type { ModelNames } from "./upstream/modelnames.ts";
import type { UpstreamPool } from "./upstream/pool.ts";

interface WaitParts {
  pool: UpstreamPool;
  /** Gets the names of the settings. */
  names: ModelNames;
  settings: Settings;
  drain: Drain;
}

/**
 * Where requests wait: for a slot, and for an endpoint that is to come. Both end with draining.
 * `reloaded` puts settings into effect that have changed.
 */
export function createWaits({ pool, names, settings, drain }: WaitParts) {
  const gate = createGate(pool, settings);
  const availability = new AvailabilityWaiters();
  drain.onEnd = () => {
    gate.close();
    availability.close();
  };
  nameModels(names, settings);
  const reloaded = () => {
    gate.change(waitLimits(settings));
    nameModels(names, settings);
    // A name may be served now that was not before.
    availability.notify();
  };
  return { gate, availability, reloaded };
}

function createGate(pool: UpstreamPool, settings: Settings): SlotGate<Endpoint> {
  const { strategy } = settings;
  const candidates = (model: string) => pool.serving(model);
  const prefixes = strategy === "prefix" ? { prefixes: new PrefixIndex<Endpoint>() } : {};
  return new SlotGate({ candidates, strategy, ...waitLimits(settings), ...prefixes });
}

function waitLimits({ queueMax, queueTimeoutMs: timeoutMs }: Settings) {
  return { queueMax, timeoutMs };
}

function nameModels(names: ModelNames, { aliases }: Settings): void {
  const named = aliases.map(({ name, models: [id = name, ...others] }) => {
    return { id, aliases: [name, ...others] };
  });
  names.set("config", named);
}
