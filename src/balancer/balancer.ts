import type { EndpointSetting, Settings } from "../config/settings.ts";
import { type App, createApp } from "../http/app.ts";
import { Drain } from "../http/drain.ts";
import type { Logger } from "../lib/log.ts";
import { Arrivals } from "./arrivals.ts";
import { Dispatcher } from "./dispatch.ts";
import { Endpoint } from "./endpoint.ts";
import { Fleet } from "./fleet.ts";
import { routeInference } from "./inference.ts";
import { routeModels } from "./models.ts";
import { Monitor, type MonitorEvents } from "./monitor.ts";
import { routeProbes } from "./probe.ts";
import { routeQueueStats } from "./queuestats.ts";
import { Gate } from "./routing/gate.ts";
import { PrefixIndex } from "./routing/prefix.ts";

export interface BalancerOptions {
  settings: Settings;
  log: Logger;
}

/** A load balancer, to be served with `listen(balancer.app, …)`. */
export interface Balancer {
  readonly app: App;
  readonly drain: Drain;
  /** Begins to check the endpoints: at once, then regularly. */
  start(): void;
  /** Tells that an endpoint of this name will be added shortly: requests wait for it. */
  expectEndpoint(name: string): void;
  /** Adds an endpoint while running; it replaces the one of the same name. */
  addEndpoint(endpoint: EndpointSetting): void;
  /** Settles when each endpoint has been checked once. */
  ready(): Promise<void>;
  /** Stops checking. Requests that still run are not touched: see `drain`. */
  close(): Promise<void>;
}

/** Builds a balancer over the endpoints of `settings`. */
export function createBalancer({ settings, log }: BalancerOptions): Balancer {
  const { healthIntervalMs: intervalMs, healthTimeoutMs: timeoutMs } = settings;
  const { bodyLimitBytes, strategy } = settings;
  const drain = new Drain();
  const fleet = new Fleet();
  const gate = createGate(fleet, settings);
  const arrivals = new Arrivals();
  const events: MonitorEvents = {
    cameOnline: (endpoint) => gate.cameOnline(endpoint),
    wentOffline: (endpoint) => gate.wentOffline(endpoint),
    offer: (endpoint) => gate.offer(endpoint),
    arrived: () => arrivals.notify(),
  };
  const monitor = new Monitor({ fleet, log, intervalMs, timeoutMs, events });
  const dispatcher = new Dispatcher({ fleet, gate, monitor, arrivals, settings, log });

  const app = createApp({ log, drain });
  routeProbes(app, { fleet, drain });
  routeModels(app, fleet);
  routeQueueStats(app, { fleet, gate });
  routeInference(app, { dispatcher, bodyLimitBytes, prefixes: strategy === "prefix" });

  function addEndpoint(setting: EndpointSetting): void {
    const endpoint = new Endpoint(setting);
    const replaced = fleet.add(endpoint);
    if (replaced !== undefined) monitor.remove(replaced);
    monitor.add(endpoint);
  }
  settings.endpoints.forEach(addEndpoint);

  return {
    app,
    drain,
    start: () => monitor.start(),
    expectEndpoint: (name) => monitor.expect(name),
    addEndpoint,
    ready: () => monitor.settled(),
    close: async () => {
      monitor.stop();
      gate.close();
    },
  };
}

function createGate(fleet: Fleet, settings: Settings): Gate<Endpoint> {
  const { strategy, queueMax, queueTimeoutMs: timeoutMs } = settings;
  const candidates = (model: string) => fleet.serving(model);
  const prefixes = strategy === "prefix" ? { prefixes: new PrefixIndex<Endpoint>() } : {};
  return new Gate({ candidates, strategy, queueMax, timeoutMs, ...prefixes });
}
