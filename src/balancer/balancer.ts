import type { EndpointSetting, Settings } from "../config/settings.ts";
import { type App, createApp } from "../http/app.ts";
import { Drain } from "../http/drain.ts";
import type { Logger } from "../lib/log.ts";
import { Dispatcher } from "./dispatch.ts";
import { Endpoint } from "./endpoint.ts";
import { Fleet } from "./fleet.ts";
import { routeInference } from "./inference.ts";
import { routeModels } from "./models.ts";
import { Monitor } from "./monitor.ts";
import { routeProbes } from "./probe.ts";

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
  const { healthIntervalMs: intervalMs, healthTimeoutMs: timeoutMs, bodyLimitBytes } = settings;
  const drain = new Drain();
  const fleet = new Fleet();
  const monitor = new Monitor({ fleet, log, intervalMs, timeoutMs });
  const dispatcher = new Dispatcher({ fleet, monitor, settings, log });

  const app = createApp({ log, drain });
  routeProbes(app, { fleet, drain });
  routeModels(app, fleet);
  routeInference(app, { dispatcher, bodyLimitBytes });

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
    close: async () => monitor.stop(),
  };
}
