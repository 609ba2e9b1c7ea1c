import type { Audit } from "../auth/audit/openaudit.ts";
import type { FirstAdmin } from "../auth/firststart.ts";
import { openAuth } from "../auth/open.ts";
import { environment } from "../config/environment.ts";
import type { Configuration } from "../config/precedence.ts";
import type { Settings } from "../config/settings.ts";
import type { EndpointSetting } from "../config/values/endpoint.ts";
import type { State } from "../db/database.ts";
import { Hops } from "../http/proxy/hops.ts";
import { type App, createApp } from "../http/server/app.ts";
import { bodyMemoryOf } from "../http/server/bodymemory.ts";
import { Drain } from "../http/server/drain.ts";
import { allowedHosts, HostCheck } from "../http/server/host.ts";
import { routeLogs } from "../http/server/logroutes.ts";
import { Origins } from "../http/server/origin.ts";
import { TrustedProxies } from "../http/server/trustedproxies.ts";
import type { Logger } from "../lib/log.ts";
import type { LogBook } from "../lib/logbook.ts";
import type { Registry } from "../registry/registry.ts";
import { routeRegistry } from "../registry/routes.ts";
import { routeAccounts } from "./admin/accounts/routes.ts";
import { routeAudit } from "./admin/audit/routes.ts";
import { routeEndpointLogs } from "./admin/endpoints/logs.ts";
import { EndpointRegistry } from "./admin/endpoints/registry.ts";
import { routeEndpoints } from "./admin/endpoints/routes.ts";
import { routeHistory } from "./admin/history/routes.ts";
import { listModels } from "./admin/models/listing.ts";
import { openRegistry } from "./admin/models/registry.ts";
import { routeModels } from "./admin/models/routes.ts";
import { nodeNames } from "./admin/nodes/node.ts";
import { routeNodes } from "./admin/nodes/routes.ts";
import { routeProbes, type SetReadiness } from "./admin/probes.ts";
import { routeQueueStats } from "./admin/queuestats.ts";
import { routePlaces } from "./admin/residency/places.ts";
import { routeResidency } from "./admin/residency/routes.ts";
import { routeSettings } from "./admin/settings/routes.ts";
import { ModelSync } from "./admin/sync/sync.ts";
import { Continuations } from "./continuation/continuations.ts";
import { routeDashboardFiles } from "./dashboard/routes.ts";
import { LiveEvents } from "./events/liveevents.ts";
import { routeEvents } from "./events/routes.ts";
import { type Handover, handoverOf } from "./handover.ts";
import { EndpointDetection } from "./health/detection.ts";
import { Monitor, type MonitorListener } from "./health/monitor.ts";
import { CheckPersistence } from "./health/persistence.ts";
import { WarmthRefresh } from "./health/warmthrefresh.ts";
import { KeptResponses } from "./inference/keptresponses.ts";
import { Pipeline, type PipelineParts } from "./inference/pipeline.ts";
import { PoolSlots, type PoolSlotsParts } from "./inference/poolslots.ts";
import { Requirements } from "./inference/requirements.ts";
import { routeInference } from "./inference/routes.ts";
import { PriceList } from "./limits/prices.ts";
import { routePrices } from "./limits/routes.ts";
import { UsageLimits } from "./limits/usagelimits.ts";
import { routeOllama } from "./ollama/routes.ts";
import { routeOpenApi } from "./openapi/routes.ts";
import { Providers } from "./providers/providers.ts";
import { routeProviderMetrics } from "./providers/routes.ts";
import { Metrics } from "./record/metrics.ts";
import { Recorder, type RecordObserver } from "./record/recorder.ts";
import { metricSources, routeMetrics } from "./record/routes.ts";
import type { AvailabilityWaiters } from "./routing/availability.ts";
import type { SlotGate } from "./routing/gate.ts";
import { openTracing } from "./tracing/tracing.ts";
import type { Endpoint } from "./upstream/endpoint.ts";
import { ModelNames } from "./upstream/modelnames.ts";
import { UpstreamPool } from "./upstream/pool.ts";
import { createWaits } from "./waits.ts";

export interface BalancerOptions {
  configuration: Configuration;
  /** Where endpoints, their models and what happens is kept; whoever opened it closes it. */
  state: State;
  /** Its log, which others may read. */
  book: LogBook;
  /** What commands of this machine's user send. Default: there are none. */
  localCredential?: string;
}

/** A load balancer, to be served with `listen(balancer.app, …)`. */
export interface Balancer extends Handover {
  readonly app: App;
  readonly drain: Drain;
  /** What this start made, as the first one with access control. */
  readonly firstAdmin: FirstAdmin | undefined;
  /** Begins to check the endpoints: at once, then regularly. */
  start(): void;
  /** Tells that an endpoint of this name will be added shortly: requests wait for it. */
  expectEndpoint(name: string): void;
  /** What that node proves itself with when it asks for models. */
  readonly localSecret: string;
  /** Adds the node beside this balancer; it replaces the one before. */
  addLocal(endpoint: EndpointSetting): void;
  /** Tells whether the node beside this balancer can serve, for `GET /ready`. */
  readonly setReadiness: SetReadiness;
  /** Some of its settings have changed. */
  reloaded(): void;
  /** Settles when each endpoint has been checked once. */
  ready(): Promise<void>;
  /** Stops checking. Requests that still run are not touched: see `drain`. */
  close(): Promise<void>;
}

/** Builds a balancer over the endpoints of `settings` and those it knew before. */
export async function createBalancer(options: BalancerOptions): Promise<Balancer> {
  const { configuration, state, book } = options;
  const { settings } = configuration;
  const [{ log }, { healthTimeoutMs: timeoutMs }] = [book, settings];
  const [drain, hops] = [new Drain(), new Hops()];
  const auth = await openAuth({ ...options, settings, log });
  const names = new ModelNames();
  const pool = new UpstreamPool(names);
  const { gate, availability, reloaded } = createWaits({ pool, names, settings, drain });
  const monitor = new Monitor({
    ...{ pool, log, timeoutMs, hops, listener: monitorListener(gate, availability) },
    onCheck: (endpoint, report) => {
      persistence.recordCheck(endpoint, report);
      detection.afterCheck(endpoint, report);
      events.checked();
    },
  });
  const endpointRegistry = new EndpointRegistry({ state, pool, monitor, settings });
  const persistence = new CheckPersistence({ state, pool, log });
  const onDetected = () => availability.notify();
  const detection = new EndpointDetection({ pool, endpointRegistry, log, onDetected });
  const registry = await openRegistry({ settings, state, pool, names, log });
  const sync = new ModelSync({ registry, state, pool, monitor, log });
  const door = { ...doorOf(settings, drain), ...auth.door };
  const sources = metricSources({ pool, gate, state, ...door, recorder: () => recorder });
  const metrics = new Metrics({ sources });
  const providers = new Providers({ settings, log, hops });
  metrics.include(providers.metrics);
  const events = new LiveEvents({ pool, registry, holdings: sync.holdings, gate });
  const recording = await openRecording({ settings, state, log }, metrics, events);
  const { recorder, tracing, prices } = recording;
  const app = createApp({ log, hops, ...door });
  const setReadiness = routeProbes(app, { pool, drain });
  const endpoints = { endpointRegistry, pool, monitor, persistence, state };
  const parts = { ...endpoints, registry, sync, providers, events, gate, metrics, prices, book };
  routeManagement(app, { ...parts, ...auth, configuration, adminUsername: settings.adminUsername });
  const answering = { pool, hops, kept: new KeptResponses(state.responses), providers, settings };
  const absence = (model: string) => sync.absence(model);
  const routing = { ...answering, ...recording, gate, monitor, availability, absence, log };
  routeInference(app, createPipeline(routing), answering);

  const endBackground = () => {
    for (const part of [events, sync, registry]) part.close();
    // The monitor last: endpoints that are removed forget what was measured.
    for (const part of [detection, persistence, monitor]) part.stop();
  };

  await endpointRegistry.load();
  return {
    ...{ app, drain, firstAdmin: auth.firstAdmin },
    start: () => {
      for (const part of [monitor, persistence, registry]) part.start();
      void events.recent.refill(state.requests, log);
    },
    expectEndpoint: (name) => monitor.expect(name),
    ...{ localSecret: sync.localSecret, setReadiness, reloaded },
    addLocal: (endpoint) => endpointRegistry.setLocal(endpoint),
    ready: () => monitor.settled(),
    ...handoverOf({ audit: auth.audit, limitCounts: state.limitCounts, endBackground }),
    close: async () => {
      endBackground();
      gate.close();
      providers.close();
      await recorder.flush();
      await auth.close();
      await tracing?.close();
    },
  };
}

/** Where earlier programs had the balancer's log. */
const LOG_PATHS = ["/api/dashboard/logs/lb", "/v0/dashboard/logs/lb"];

/** What is kept of requests, and what they may use. */
async function openRecording(
  { settings, state, log }: Pick<BalancerOptions, "state"> & { settings: Settings; log: Logger },
  metrics: Metrics,
  observer: RecordObserver,
) {
  const tracing = await openTracing({ environment: environment(), log });
  const prices = await PriceList.open(state.prices);
  const limits = await UsageLimits.open(state.limitCounts);
  const { historyBodies: bodies } = settings;
  const parts = { history: state.requests, metrics, tracing, prices, observer, bodies, log };
  const continuations = new Continuations(log);
  metrics.include(continuations);
  return { recorder: new Recorder(parts), tracing, prices, limits, continuations };
}

type ManagementParts = Parameters<typeof routeEndpoints>[1] &
  Parameters<typeof routeNodes>[1] &
  Parameters<typeof routeAccounts>[1] &
  Parameters<typeof routeQueueStats>[1] & {
    audit: Pick<Audit, "log">;
    configuration: Configuration;
    prices: PriceList;
    book: LogBook;
    registry: Registry;
    sync: ModelSync;
    providers: Providers;
    metrics: Metrics;
    events: LiveEvents;
  };

/** The routes besides those of inference: for operators, nodes, and clients that look around. */
function routeManagement(app: App, parts: ManagementParts): void {
  const { pool, registry, sync, providers, metrics } = parts;
  const listing = { pool, registry, holdings: sync.holdings };
  routeModels(app, { ...listing, providers });
  const warmth = new WarmthRefresh(pool);
  const refresh = () => warmth.now();
  routeOllama(app, { pool, refresh, models: () => listModels(listing) });
  routeEndpoints(app, parts);
  routeEndpointLogs(app, parts.endpointRegistry);
  routeLogs(app, { book: parts.book, source: "load balancer", alsoAt: LOG_PATHS });
  routeResidency(app, { ...parts, refresh });
  routePlaces(app, { pool, registry, refresh });
  sync.route(app);
  routeRegistry(app, { registry, nodes: () => nodeNames(pool) });
  routeAccounts(app, parts);
  routeNodes(app, parts);
  routeQueueStats(app, parts);
  routeHistory(app, parts);
  routeAudit(app, parts.audit.log);
  routeDashboardFiles(app);
  routeEvents(app, parts.events);
  routeSettings(app, parts.configuration);
  routePrices(app, parts.prices);
  routeMetrics(app, metrics);
  routeProviderMetrics(app, providers.metrics);
  routeOpenApi(app);
}

/** Builds the way of inference requests. */
function createPipeline(
  parts: Omit<PoolSlotsParts, "requirements"> & Omit<PipelineParts, "slots" | "requirements">,
): Pipeline {
  const { pool, providers, recorder } = parts;
  const requirements = new Requirements(pool);
  const slots = new PoolSlots({ ...parts, requirements });
  return new Pipeline({ ...parts, providers, requirements, slots, recorder });
}

function monitorListener(
  gate: SlotGate<Endpoint>,
  availability: AvailabilityWaiters,
): MonitorListener {
  return {
    cameOnline: (endpoint) => gate.cameOnline(endpoint),
    wentOffline: (endpoint) => gate.wentOffline(endpoint),
    capacityChanged: (endpoint) => {
      gate.offer(endpoint);
      // A stream that broke may go on there.
      availability.notify();
    },
    availabilityChanged: () => availability.notify(),
  };
}

/**
 * By which names, by pages of which origins, and through which proxies it may be called, and how
 * much it may be sent.
 */
function doorOf(settings: Settings, drain: Drain) {
  const hosts = new HostCheck(allowedHosts(settings));
  const { allowedOrigins, trustedProxies } = settings;
  const proxies = trustedProxies.length === 0 ? undefined : new TrustedProxies(trustedProxies);
  const origins = new Origins(allowedOrigins);
  const accessLog = () => settings.accessLog;
  return { drain, hosts, origins, proxies, bodies: bodyMemoryOf(settings), accessLog };
}
