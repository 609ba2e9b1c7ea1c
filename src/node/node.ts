import { modelsFolder } from "../config/hubfields.ts";
import type { Settings } from "../config/settings.ts";
import { launchEngine } from "../engine/launch.ts";
import { probeDevices } from "../engine/probe.ts";
import { type App, createApp } from "../http/server/app.ts";
import { Drain } from "../http/server/drain.ts";
import { allowedHosts, HostCheck } from "../http/server/host.ts";
import type { Logger } from "../lib/log.ts";
import { Store } from "../storage/store.ts";
import type { NodeSystem } from "../wire/system.ts";
import { ANY_HOST, requireKey } from "./auth.ts";
import { addInferenceRoutes } from "./inference.ts";
import { absence } from "./models/absence.ts";
import { Catalog, servedModels } from "./models/catalog.ts";
import { addFileRoutes } from "./models/files.ts";
import { addModelRoutes } from "./models/routes.ts";
import { ModelScanner } from "./models/scanner.ts";
import { addStatusRoutes } from "./routes.ts";
import { Devices, type Probe } from "./supervisor/devices.ts";
import type { Launch } from "./supervisor/runner.ts";
import { Supervisor } from "./supervisor/supervisor.ts";
import { BalancerClient, type BalancerClientOptions } from "./sync/balancerclient.ts";
import { Chooser } from "./sync/choice.ts";
import { createPuller } from "./sync/puller.ts";
import { Pulls } from "./sync/pulls.ts";
import { Reporter } from "./sync/reporter.ts";
import { HubSource } from "./sync/source.ts";
import { Sync } from "./sync/sync.ts";
import { describeSystem } from "./system.ts";

export interface NodeOptions {
  settings: Settings;
  log: Logger;
  /** Required of callers; absent: none is. */
  key?: string;
  /** Whom to ask which models to have; absent: nobody. */
  balancer?: BalancerClientOptions;
  /** Starts an engine. Default: a process of this same program. */
  launch?: Launch;
  /** Reads the compute devices. Default: a process of this same program. */
  probe?: Probe;
}

/** A node: models of the settings and of the models folder, each run by an engine of its own. */
export interface LlmlbNode {
  app: App;
  drain: Drain;
  /** What it tells of itself at `GET /api/system`. */
  system(): Promise<NodeSystem>;
  /** Names by which it lists its models. */
  names(): string[];
  /** Looks into the models folder; to be awaited before requests come. Never throws. */
  open(): Promise<void>;
  /** Begins to keep its models what the balancer says. */
  start(): void;
  /** The balancer knows the node now, or may have changed its mind. */
  welcomed(): void;
  /** Loads a model before its first request. Settles as the load does; throws its `ApiError`. */
  warm(modelId: string): Promise<void>;
  /** Ends all engines, asking first. Requests still running on them fail: drain before. */
  close(): Promise<void>;
}

/** How long an engine may take to end when asked, before it is killed. */
const STOP_GRACE_MS = 5000;

/** Builds a node from its parts. Nothing is loaded yet; no socket is opened. */
export function createNode(options: NodeOptions): LlmlbNode {
  const { settings, log, launch = launchEngine, probe = probeDevices } = options;
  const { home, engineArgs, loadTimeoutMs, drainTimeoutMs: waitMs } = settings;

  const drain = new Drain();
  const catalog = new Catalog(servedModels(settings));
  const supervisor = new Supervisor({ launch, home, engineArgs, loadTimeoutMs, log });
  const devices = new Devices({ probe, home, log });
  const system = async () =>
    describeSystem(await devices.list(), { catalog, supervisor, engineArgs });

  const store = new Store(modelsFolder(settings));
  const retire = (id: string) => supervisor.retire(id, { waitMs, graceMs: STOP_GRACE_MS });
  const shelf = new ModelScanner({ store, catalog, log, retire });
  const puller = createPuller(settings, log);
  const chooser = new Chooser({ puller, devices: () => devices.list(), engineArgs });
  const changed = () => reporter?.ring();
  const pulls = new Pulls({ puller, chooser, log, onFiles: () => shelf.scan(), onChange: changed });
  const link = options.balancer && new BalancerClient(options.balancer, settings);
  const sync = link && new Sync({ link, shelf, store, pulls, log, onChange: changed });
  const models = { catalog, shelf, pulls, sync };
  const reporter = link && new Reporter({ ...models, link, log });
  shelf.onChange = changed;
  catalog.absent = (name) => absence(name, models);

  const hosts = new HostCheck(allowedHosts(settings));
  const { key } = options;
  const app = createApp({ log, drain, hosts: key === undefined ? hosts : ANY_HOST });
  if (key !== undefined) requireKey(app, key, hosts);
  const syncing = () => sync?.compared === false;
  addStatusRoutes(app, { catalog, engineArgs, closing: () => drain.closing, syncing, system });
  addInferenceRoutes(app, { catalog, supervisor, settings });
  addFileRoutes(app, store);
  addModelRoutes(app, { ...models, store, hub: new HubSource({ settings, log }) });

  devices.list(); // read once now, so that the first question need not wait
  return {
    app,
    drain,
    system,
    names: () => catalog.listed().map(({ name }) => name),
    open: () => shelf.scan(),
    start: () => {
      shelf.start();
      sync?.start();
      reporter?.start();
    },
    welcomed: () => {
      sync?.ring();
      reporter?.ring();
    },
    warm: async (modelId) => {
      const runner = await supervisor.runner(catalog.get(modelId), undefined);
      await runner.warm();
    },
    close: async () => {
      shelf.close();
      await Promise.all([sync?.close(), reporter?.close(), pulls.close()]);
      await supervisor.close(STOP_GRACE_MS);
    },
  };
}
