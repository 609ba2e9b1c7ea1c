import type { Settings } from "../config/settings.ts";
import { launchEngine } from "../engine/launch.ts";
import { probeDevices } from "../engine/probe.ts";
import { type App, createApp } from "../http/app.ts";
import { Drain } from "../http/drain.ts";
import type { Logger } from "../lib/log.ts";
import type { NodeSystem } from "../wire/system.ts";
import { Catalog, servedModels } from "./catalog.ts";
import { Devices, type Probe } from "./devices.ts";
import { requireKey } from "./guard.ts";
import { addInferenceRoutes } from "./inference.ts";
import { addStatusRoutes } from "./routes.ts";
import type { Launch } from "./runner.ts";
import { Supervisor } from "./supervisor.ts";
import { describeSystem } from "./system.ts";

export interface NodeOptions {
  settings: Settings;
  log: Logger;
  /** Required of callers; absent: none is. */
  key?: string;
  /** Starts an engine. Default: a process of this same program. */
  launch?: Launch;
  /** Reads the compute devices. Default: a process of this same program. */
  probe?: Probe;
}

/** A node: the models of the settings, each run by an engine of its own. */
export interface LlmlbNode {
  app: App;
  drain: Drain;
  /** What it tells of itself at `GET /api/system`. */
  system(): Promise<NodeSystem>;
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
  const { home, engineArgs, loadTimeoutMs } = settings;

  const drain = new Drain();
  const catalog = new Catalog(servedModels(settings));
  const supervisor = new Supervisor({ launch, home, engineArgs, loadTimeoutMs, log });
  const devices = new Devices({ probe, home, log });
  const system = async () =>
    describeSystem(await devices.list(), { catalog, supervisor, engineArgs });

  const app = createApp({ log, drain });
  if (options.key !== undefined) requireKey(app, options.key);
  addStatusRoutes(app, { catalog, engineArgs, closing: () => drain.closing, system });
  addInferenceRoutes(app, { catalog, supervisor, settings });

  devices.list(); // read once now, so that the first question need not wait
  return {
    app,
    drain,
    system,
    warm: async (modelId) => {
      const runner = await supervisor.runner(catalog.get(modelId), undefined);
      await runner.warm();
    },
    close: () => supervisor.close(STOP_GRACE_MS),
  };
}
