import type { Settings } from "../../config/settings.ts";
import { LLAMA_CPP_VERSION, VERSION } from "../../config/version.ts";
import type { Certificate } from "../../http/server/certificate.ts";
import { type Listener, listen } from "../../http/server/listen.ts";
import type { Logger } from "../../lib/log.ts";
import type { EngineMemory } from "../../wire/system.ts";
import { type PidFileHandle, writePidFile } from "../process/pidfile.ts";
import { listenOrExplain } from "../process/port.ts";
import { colorsFor } from "../terminal/color.ts";
import { printText } from "../terminal/output.ts";
import { banner, dashboardOf } from "./banner.ts";
import type { Daemon } from "./daemon.ts";
import type { Predecessor } from "./upgrade/predecessor.ts";

export interface EntranceParts {
  settings: Settings;
  daemon: Daemon;
  certificate: Certificate | undefined;
  log: Logger;
  /** Nothing has ever run from its data folder. */
  isFirstRun: boolean;
}

/** Where clients connect, and the file by which commands find it. */
export interface OpenEntrance {
  listener: Listener;
  pidFile: PidFileHandle;
}

/** Listens, announces it, and starts the daemon. Throws `CliError`. */
export function openEntrance(parts: EntranceParts): OpenEntrance {
  const { settings, daemon, certificate } = parts;
  const listener = listenOrExplain(daemon.app, settings, { certificate });
  const pidFile = announce(parts, listener);
  const { port } = listener;
  const entrance = { port, fingerprint: certificate?.fingerprint, isTaken: false };
  daemon.start((nodeUrl) => pidFile.update({ node_url: nodeUrl }), entrance);
  return { listener, pidFile };
}

/** What the process before says of itself. */
export interface TakeOverParts extends EntranceParts {
  predecessor: Predecessor;
  /** The port that it listens on. */
  port: number;
  /** What its engines have. */
  engineMemory: EngineMemory;
}

/**
 * Takes the place of another process: becomes whole, is tried at an address of its own, and listens
 * beside it. What two nodes of a data folder would disturb begins when all is its own.
 */
export async function takeOver(parts: TakeOverParts): Promise<OpenEntrance> {
  const { settings, daemon, certificate, predecessor, engineMemory } = parts;
  const port = settings.port === 0 ? parts.port : settings.port;
  const entrance = { port, fingerprint: certificate?.fingerprint, isTaken: true };
  let nodeUrl: string | undefined;
  let pidFile: PidFileHandle | undefined;
  const onLocalNode = (url: string) => {
    nodeUrl = url;
    pidFile?.update({ node_url: url });
  };
  daemon.occupied(engineMemory);
  if (settings.mode !== "node") daemon.start(onLocalNode, entrance);
  await daemon.settled();
  const trial = listen(daemon.app, { host: "127.0.0.1", port: 0 });
  await predecessor.whole(trial.url);
  await trial.stop(true);
  const isShared = port === parts.port;
  const listener = listenOrExplain(daemon.app, { ...settings, port }, { certificate, isShared });
  await predecessor.listening();
  predecessor.onEngines((memory) => daemon.occupied(memory));
  pidFile = announce(parts, listener);
  if (nodeUrl !== undefined) pidFile.update({ node_url: nodeUrl });
  if (settings.mode === "node") daemon.start(onLocalNode, { ...entrance, isTaken: false });
  daemon.opened();
  return { listener, pidFile };
}

function announce(
  { settings, certificate, log, isFirstRun }: EntranceParts,
  { url, port }: Listener,
): PidFileHandle {
  const { mode, home } = settings;
  const pinned = certificate === undefined ? {} : { tls_fingerprint: certificate.fingerprint };
  const started_at = new Date().toISOString();
  const entry = { pid: process.pid, started_at, port, mode, url, version: VERSION, ...pinned };
  const pidFile = writePidFile(home, entry);
  process.on("exit", () => pidFile.remove());
  if (process.stdout.isTTY === true) {
    const isSelfSigned = certificate?.isSelfSigned === true;
    printText(
      banner({ settings, url, isSelfSigned, isFirstRun, paint: colorsFor(process.stdout) }),
    );
  }
  const versions = { version: VERSION, bun: Bun.version, llama_cpp: LLAMA_CPP_VERSION };
  log.info({ mode, url, home, ...versions }, "serve.listening");
  const dashboard = dashboardOf(url, settings);
  if (isFirstRun && dashboard !== undefined) log.info({ dashboard }, "serve.first_run");
  return pidFile;
}
