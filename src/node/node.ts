import { hostname } from "node:os";
import { environment } from "../config/environment.ts";
import { modelsFolder } from "../config/fields/hub.ts";
import { sourceFolders } from "../config/modelsources.ts";
import type { Settings } from "../config/settings.ts";
import { checkArguments } from "../engine/argumentcheck.ts";
import { probeDevices } from "../engine/deviceprobe.ts";
import { launchEngine } from "../engine/launch.ts";
import { lendDevices } from "../engine/lend.ts";
import { type App, createApp } from "../http/server/app.ts";
import { bodyMemoryOf } from "../http/server/bodymemory.ts";
import { Drain } from "../http/server/drain.ts";
import { allowedHosts, HostCheck } from "../http/server/host.ts";
import { routeLogs } from "../http/server/logroutes.ts";
import type { Logger } from "../lib/log.ts";
import type { LogBook } from "../lib/logbook.ts";
import { ModelStore } from "../storage/modelstore.ts";
import { ModelSources } from "../storage/sources/modelsources.ts";
import type { EngineMemory, NodeReadiness, NodeSystem } from "../wire/system.ts";
import { ANY_HOST, keyCheck } from "./auth.ts";
import { addInferenceRoutes } from "./inference.ts";
import { explainAbsence } from "./inventory/absence.ts";
import { Reporter } from "./inventory/reporter.ts";
import { addModelRoutes } from "./inventory/routes.ts";
import { NodeMetrics } from "./metrics/metrics.ts";
import { Catalog, type ServedModel } from "./models/catalog.ts";
import { configuredModels } from "./models/configured.ts";
import { addFileRoutes } from "./models/files.ts";
import { ModelSizes } from "./models/modelsizes.ts";
import { settingsFor } from "./models/runsettings.ts";
import { ModelScanner, type ModelScannerOptions } from "./models/scanner.ts";
import { addNativeRoutes } from "./nativeroutes.ts";
import { PromptDisk } from "./prompts/promptdisk.ts";
import { addResidencyRoutes } from "./residency.ts";
import { addStatusRoutes } from "./routes.ts";
import { type DeviceProbe, Devices } from "./supervisor/devices.ts";
import type { Launch } from "./supervisor/engineoptions.ts";
import { Ledger } from "./supervisor/room/ledger.ts";
import { HostMemories } from "./supervisor/room/memories.ts";
import { memoryReader } from "./supervisor/room/reading.ts";
import { Supervisor } from "./supervisor/supervisor.ts";
import { BalancerClient, type BalancerClientOptions } from "./sync/balancerclient.ts";
import { FileSelector } from "./sync/fileselector.ts";
import { HubSource } from "./sync/hubsource.ts";
import { createPuller } from "./sync/puller.ts";
import { Pulls } from "./sync/pulls.ts";
import { Sync } from "./sync/sync.ts";
import { describeLoaded, describeNodeModel, describeSystem } from "./system.ts";
import { Warmup } from "./warmup.ts";
import { WorkerDirectory } from "./workers/directory.ts";
import { type Lend, Lender } from "./workers/lender.ts";
import { addLendingRoutes } from "./workers/routes.ts";
import { Workers } from "./workers/workers.ts";

export interface NodeOptions {
  settings: Settings;
  /** Its log, which others may read. */
  book: LogBook;
  /** The key that all requests must have. Default: none. */
  key?: string;
  /** The balancer that lists the node's models. Default: none. */
  balancer?: BalancerClientOptions;
  /** What the balancer said last while it has not let this node in. Default: it has. */
  joining?(): string | undefined;
  /** Called when what it has, or how far it is, may have changed. */
  onChange?(): void;
  /** Starts an engine. Default: a process of this same program. */
  launch?: Launch;
  /** Starts a process that lends devices. Default: a process of this same program. */
  lend?: Lend;
  /** Why engines would refuse arguments. Default: llama.cpp reads them in a process of its own. */
  argumentFault?(args: string[]): Promise<string | undefined>;
  /** Reads the compute devices. Default: a process of this same program. */
  probe?: DeviceProbe;
}

/** A node: serves the models of its settings and of its models folder, each by its own engine. */
export interface LlmlbNode {
  app: App;
  drain: Drain;
  /** The answer of `GET /ready`. */
  readiness(): NodeReadiness;
  /** The answer of `GET /api/system`. */
  system(): Promise<NodeSystem>;
  /** The names that `GET /v1/models` lists. */
  names(): string[];
  /** Scans the models folder. To be awaited before requests come. Never throws. */
  open(): Promise<void>;
  /** Starts to watch the models folder and to sync with the balancer. */
  start(): void;
  /** Syncs at once: the balancer has answered, so it may have news. */
  resync(): void;
  /** Loads a model before its first request. Throws the `ApiError` of a load that fails. */
  warm(modelId: string): Promise<void>;
  /** Another process takes its place: ends what runs in the background, engines once they idle. */
  retire(): Promise<void>;
  /** What engines of the process before this one have; nothing: they have ended. */
  occupied(memory: EngineMemory): void;
  /** Ends all engines. Their running requests fail, so drain before. */
  close(): Promise<void>;
}

/** How long an engine may take to end before it is killed. */
const STOP_GRACE_MS = 5000;

/** Finds the models of the models folder, and of other programs where these are served. */
function createScanner(
  { models, modelSources }: Settings,
  parts: Omit<ModelScannerOptions, "settings" | "sources">,
): ModelScanner {
  const folders = sourceFolders(modelSources, environment());
  const sources = modelSources === "serve" ? { sources: new ModelSources(folders) } : {};
  return new ModelScanner({ ...parts, settings: models, ...sources });
}

/** Makes a node of its parts. Loads no model and opens no socket. */
export function createNode(options: NodeOptions): LlmlbNode {
  const { settings, book, joining, launch = launchEngine, probe = probeDevices } = options;
  const { log } = book;
  const { home, engineArgs } = settings;

  const drain = new Drain();
  const catalog = new Catalog(configuredModels(settings));
  const devices = new Devices({ probe, home, log });
  const client = options.balancer && new BalancerClient(options.balancer, settings);
  const [lender, workers] = [createLender(options), createWorkers(settings, client)];
  const onChange = () => {
    reporter?.wake();
    options.onChange?.();
  };
  const parts = { settings, log, catalog, devices, launch, lender, workers, onChange };
  const engines = createEngines(parts);
  const { supervisor, promptDisk, retire, metrics, system, loadedModels } = engines;
  const store = new ModelStore(modelsFolder(settings));
  const scanner = createScanner(settings, { store, catalog, log, retire });
  const puller = createPuller(settings, log);
  const fileSelector = new FileSelector({
    ...{ puller, devices: () => devices.list(), engineArgs },
    lentBytes: (id, signal) => workers.lentBytes(workersOf(id, settings, sync), signal),
  });
  const onFiles = () => scanner.scan();
  const pulls = new Pulls({ puller, fileSelector, log, onFiles, onChange });
  const sync = client && new Sync({ client, scanner, store, pulls, log, onChange });
  const inventory = { catalog, scanner, pulls, sync };
  const reporter = client && new Reporter({ ...inventory, client, loadedModels, log });
  scanner.onChange = onChange;
  catalog.explainAbsence = (name) => explainAbsence(name, inventory);

  const app = createNodeApp(options, drain);
  const warmup = new Warmup(supervisor, catalog);
  const readiness = () => warmup.readiness({ drain, sync, settings, joining: joining?.() });
  routeLogs(app, { book, source: "node" });
  addStatusRoutes(app, { catalog, argsOf: (one) => supervisor.argsOf(one), readiness, system });
  const inference = { catalog, supervisor, settings, metrics };
  addInferenceRoutes(app, inference);
  addNativeRoutes(app, inference);
  const entry = (model: ServedModel) => describeNodeModel(model, engines);
  const { argumentFault = (args) => checkArguments(args, { home, log }) } = options;
  addResidencyRoutes(app, { catalog, supervisor, entry, argumentFault });
  addFileRoutes(app, store);
  addLendingRoutes(app, { lender, devices: () => devices.list() });
  addModelRoutes(app, { ...inventory, store, hub: new HubSource({ settings, log }) });

  devices.list(); // Starts to read the devices, so that the first request need not wait.
  return {
    ...{ app, drain, readiness, system },
    names: () => catalog.listedNames().map(({ name }) => name),
    open: () => scanner.scan(),
    warm: (modelId) => warmup.load(modelId),
    ...lifeOf({ scanner, sync, reporter, pulls, promptDisk, supervisor, lender }),
  };
}

/** How a node's parts begin and end. */
function lifeOf(parts: {
  scanner: ModelScanner;
  sync: Sync | undefined;
  reporter: Reporter | undefined;
  pulls: Pulls;
  promptDisk: PromptDisk;
  supervisor: Supervisor;
  lender: Lender | undefined;
}): Pick<LlmlbNode, "start" | "resync" | "retire" | "occupied" | "close"> {
  const { scanner, sync, reporter, pulls, promptDisk, supervisor, lender } = parts;
  const endBackground = () =>
    Promise.all([scanner, sync, reporter, pulls].map((part) => part?.close()));
  return {
    start: () => {
      for (const part of [scanner, sync, reporter, promptDisk]) part?.start();
    },
    resync: () => {
      for (const part of [sync, reporter]) part?.wake();
    },
    retire: async () => {
      await Promise.all([endBackground(), supervisor.unloadAll()]);
    },
    occupied: (memory) => supervisor.room.occupy(memory),
    close: async () => {
      await endBackground();
      await supervisor.close(STOP_GRACE_MS);
      lender?.close();
    },
  };
}

/** The app with its access control and no routes yet. */
function createNodeApp({ settings, book, key }: NodeOptions, drain: Drain): App {
  const hosts = new HostCheck(allowedHosts(settings));
  const access =
    key === undefined ? { hosts } : { hosts: ANY_HOST, authorise: keyCheck(key, hosts) };
  const bodies = bodyMemoryOf(settings);
  const accessLog = () => settings.accessLog;
  return createApp({ log: book.log, drain, bodies, accessLog, ...access });
}

/** The workers of a model, by config.json or else by the registry. */
function workersOf(id: string, { models }: Settings, sync: Sync | undefined): readonly string[] {
  const given = settingsFor({ id }, models) ?? sync?.assigned(id)?.settings;
  return given?.workers ?? [];
}

/** The nodes whose devices this one's engines may use. */
function createWorkers(settings: Settings, client: BalancerClient | undefined): Workers {
  const lookUp = client && ((name: string, signal: AbortSignal) => client.worker(name, signal));
  const directory = new WorkerDirectory({ settings, lookUp });
  return new Workers({ directory, head: settings.name ?? hostname() });
}

/** What lends this host's devices; undefined: nothing does. */
function createLender({ settings, book, lend = lendDevices }: NodeOptions): Lender | undefined {
  const { rpcWorker, mode, home } = settings;
  return rpcWorker && mode === "node" ? new Lender({ home, log: book.log, lend }) : undefined;
}

/** Makes what runs the models of a node, counts what they do and tells their state. */
function createEngines(parts: {
  settings: Settings;
  log: Logger;
  catalog: Catalog;
  devices: Devices;
  launch: Launch;
  lender: Lender | undefined;
  workers: Workers;
  /** Called when the state of an engine has become another one. */
  onChange(): void;
}) {
  const { settings, log, catalog, devices, launch, lender, workers, onChange } = parts;
  const { home, engineArgs, loadTimeoutMs, pinned, keepAliveMs, fit } = settings;
  const { modelsMemoryBytes: setBytes, modelsMax: enginesMax } = settings;
  const ledger = new Ledger({ setBytes, read: memoryReader(() => devices.fresh()) });
  const promptDisk = createPromptDisk(settings, log);
  const supervisor = new Supervisor({
    ...{ launch, home, engineArgs, loadTimeoutMs, log, workers, promptDisk },
    ...{ ledger, fit, enginesMax, pinned, keepAliveMs, onChange },
    ...{ drainMs: settings.drainTimeoutMs, graceMs: STOP_GRACE_MS },
    current: (model) => (catalog.has(model.id) ? catalog.get(model.id) : model),
    isAlone: () => enginesMax === 1 || catalog.list().length === 1,
    onEvent: (modelId, event) => metrics.countEvent(modelId, event),
  });
  const memories = new HostMemories(() => ledger.used);
  devices.onRead = memories.read;
  const described = { catalog, supervisor, sizes: new ModelSizes(), memories };
  const system = async () => describeSystem(await devices.list(), { ...described, home, lender });
  const loadedModels = () => describeLoaded(described);
  const metrics = new NodeMetrics({
    system,
    memory: () => supervisor.room.usage(),
    evictions: () => supervisor.room.evictions,
    prompts: () => promptDisk,
  });
  const retire = async (id: string) => {
    await supervisor.retire(id, { isGone: !catalog.has(id) });
    if (!catalog.has(id)) await promptDisk.removeModel(id);
  };
  return { ...described, promptDisk, retire, metrics, system, loadedModels };
}

/** Whoever wants no prompts in the history wants none on disk, unless he says how much of it. */
function createPromptDisk({ home, promptDiskBytes, historyBodies }: Settings, log: Logger) {
  const isUnwanted = promptDiskBytes === null && historyBodies === "none";
  const budgetBytes = isUnwanted ? 0 : promptDiskBytes;
  return new PromptDisk({ home, budgetBytes, log, nowMs: Date.now });
}
