import type { AliasSetting, EndpointSetting, Settings } from "../config/settings.ts";
import type { State } from "../db/state.ts";
import { type App, createApp } from "../http/app.ts";
import { Drain } from "../http/drain.ts";
import { allowedHosts, HostCheck } from "../http/host.ts";
import type { Logger } from "../lib/log.ts";
import { routeRegistry } from "../registry/routes.ts";
import { Arrivals } from "./arrivals.ts";
import { Clouds } from "./clouds/clouds.ts";
import { routeCloudMetrics } from "./clouds/routes.ts";
import { Dispatcher } from "./dispatch.ts";
import type { Endpoint } from "./endpoint.ts";
import { Keeper } from "./endpoints/keeper.ts";
import { Roster } from "./endpoints/roster.ts";
import { routeEndpoints } from "./endpoints/routes.ts";
import { Fleet } from "./fleet.ts";
import { routeForms } from "./inference/forms.ts";
import { Needs } from "./inference/needs.ts";
import { routeInference } from "./inference/routes.ts";
import { Sender } from "./inference/sender.ts";
import { routeModels } from "./models/list.ts";
import { listedModels } from "./models/registeredview.ts";
import { nodeNames, openRegistry } from "./models/registry.ts";
import { ModelSync } from "./models/sync.ts";
import { Monitor, type MonitorEvents } from "./monitor.ts";
import { type NamedModel, Names } from "./names.ts";
import { routeNodes } from "./nodes/routes.ts";
import { routeOllama } from "./ollama/routes.ts";
import { routeProbes } from "./probe.ts";
import { routeQueueStats } from "./queuestats.ts";
import { Metrics } from "./record/metrics.ts";
import { Recorder } from "./record/recorder.ts";
import { routeMetrics, sourcesOf } from "./record/route.ts";
import { Gate } from "./routing/gate.ts";
import { PrefixIndex } from "./routing/prefix.ts";

export interface BalancerOptions {
  settings: Settings;
  /** Where endpoints, their models and what happens is kept; whoever opened it closes it. */
  state: State;
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
  /** What that node proves itself with when it asks for models. */
  readonly localSecret: string;
  /** Adds the node beside this balancer; it replaces the one before. */
  addLocal(endpoint: EndpointSetting): void;
  /** Settles when each endpoint has been checked once. */
  ready(): Promise<void>;
  /** Stops checking. Requests that still run are not touched: see `drain`. */
  close(): Promise<void>;
}

/** Builds a balancer over the endpoints of `settings` and those it knew before. */
export async function createBalancer(options: BalancerOptions): Promise<Balancer> {
  const { settings, state, log } = options;
  const { healthTimeoutMs: timeoutMs } = settings;
  const drain = new Drain();
  const names = new Names();
  names.set("config", settings.aliases.map(named));
  const fleet = new Fleet(names);
  const gate = createGate(fleet, settings);
  const arrivals = new Arrivals();
  const monitor = new Monitor({
    ...{ fleet, log, timeoutMs, events: eventsFor(gate, arrivals) },
    onCheck: (endpoint, report) => keeper.checked(endpoint, report),
  });
  const roster = new Roster({ state, fleet, monitor, settings });
  const keeper = new Keeper({ state, fleet, roster, log, onAsked: () => arrivals.notify() });
  const registry = await openRegistry({ settings, state, fleet, names, log });
  const sync = new ModelSync({ registry, state, fleet, monitor, log });
  const absence = (model: string) => sync.absence(model);
  const dispatcher = new Dispatcher({ fleet, gate, monitor, arrivals, settings, log, absence });
  const sources = sourcesOf({ fleet, gate, drain, state, recorder: () => recorder });
  const metrics = new Metrics({ sources });
  const clouds = new Clouds({ settings, log });
  metrics.include(clouds.metrics);
  const { historyBodies: bodies } = settings;
  const recorder = new Recorder({ history: state.requests, metrics, bodies, log });

  const app = createApp({ log, drain, hosts: new HostCheck(allowedHosts(settings)) });
  routeProbes(app, { fleet, drain });
  const listing = { fleet, registry, holdings: sync.holdings };
  routeModels(app, { ...listing, clouds });
  routeOllama(app, { fleet, listed: () => listedModels(listing) });
  routeEndpoints(app, { roster, fleet, monitor, keeper, state, settings });
  sync.route(app);
  routeRegistry(app, { registry, nodes: () => nodeNames(fleet) });
  routeNodes(app, { roster, fleet, monitor, state });
  routeQueueStats(app, { fleet, gate });
  routeMetrics(app, metrics);
  routeCloudMetrics(app, clouds.metrics);
  const sender = new Sender({ clouds, dispatcher, settings });
  const inference = { fleet, sender, needs: new Needs(fleet), recorder, settings };
  routeInference(app, inference);
  routeForms(app, inference);

  await roster.load();
  return {
    app,
    drain,
    start: () => {
      monitor.start();
      keeper.start();
      registry.start();
    },
    expectEndpoint: (name) => monitor.expect(name),
    localSecret: sync.localSecret,
    addLocal: (endpoint) => roster.setLocal(endpoint),
    ready: () => monitor.settled(),
    close: async () => {
      // Before the monitor: endpoints that are removed forget what was measured.
      sync.close();
      registry.close();
      keeper.stop();
      monitor.stop();
      gate.close();
      clouds.close();
      await recorder.flush();
    },
  };
}

function named({ name, models: [id = name, ...others] }: AliasSetting): NamedModel {
  return { id, aliases: [name, ...others] };
}

function eventsFor(gate: Gate<Endpoint>, arrivals: Arrivals): MonitorEvents {
  return {
    cameOnline: (endpoint) => gate.cameOnline(endpoint),
    wentOffline: (endpoint) => gate.wentOffline(endpoint),
    offer: (endpoint) => gate.offer(endpoint),
    arrived: () => arrivals.notify(),
  };
}

function createGate(fleet: Fleet, settings: Settings): Gate<Endpoint> {
  const { strategy, queueMax, queueTimeoutMs: timeoutMs } = settings;
  const candidates = (model: string) => fleet.serving(model);
  const prefixes = strategy === "prefix" ? { prefixes: new PrefixIndex<Endpoint>() } : {};
  return new Gate({ candidates, strategy, queueMax, timeoutMs, ...prefixes });
}
