import { requireLoopback } from "../../config/loopback.ts";
import type { Settings } from "../../config/settings.ts";
import { LLAMA_CPP_VERSION, VERSION } from "../../config/version.ts";
import type { Listener } from "../../http/server/listen.ts";
import type { Logger } from "../../lib/log.ts";
import { openDataFolder, requireModelFiles, requireOwnDataFolder } from "../process/datafolder.ts";
import { EXIT } from "../process/exit.ts";
import { logUncaught } from "../process/failure.ts";
import { type PidFileHandle, writePidFile } from "../process/pidfile.ts";
import { listenOrExplain } from "../process/port.ts";
import { stopSignals } from "../process/signals.ts";
import { paintFor } from "../terminal/terminal.ts";
import { createBalancerRole } from "./balancer.ts";
import { banner } from "./banner.ts";
import { createNodeRole } from "./node.ts";
import type { Role } from "./role.ts";

/**
 * Serves until a signal asks to stop, then drains. Ends the process: 0 in good order, 1 if a second
 * signal cut it short. Throws before anything is served if the settings do not allow it.
 */
export async function serve(settings: Settings, warnings: string[]): Promise<never> {
  requireLoopback(settings);
  if (settings.mode !== "balancer") requireModelFiles(settings);
  await requireOwnDataFolder(settings);
  const signals = stopSignals();
  const log = openDataFolder(settings);
  for (const advice of warnings) log.warn({ advice }, "serve.deprecated");
  const role = await (settings.mode === "node" ? createNodeRole : createBalancerRole)(
    settings,
    log,
  );
  const listener = listenOrExplain(role.app, settings);
  logUncaught(log);
  const runFile = announce(settings, listener, log);
  role.start((nodeUrl) => runFile.update({ node_url: nodeUrl }), listener.port);

  const signal = await signals.first;
  signals.onSecond((second) => {
    log.warn({ signal: second, running: role.drain.active }, "serve.stopped_at_once");
    process.exit(EXIT.error);
  });
  await stop({ role, listener, settings, log, signal });
  process.exit(EXIT.ok);
}

function announce(settings: Settings, listener: Listener, log: Logger): PidFileHandle {
  const { mode, home } = settings;
  const { url, port } = listener;
  const entry = { pid: process.pid, started_at: new Date().toISOString(), port, mode, url };
  const runFile = writePidFile(home, entry);
  process.on("exit", () => runFile.remove());
  if (process.stdout.isTTY === true) {
    process.stdout.write(banner({ settings, url, paint: paintFor(process.stdout) }));
  }
  const versions = { version: VERSION, bun: Bun.version, llama_cpp: LLAMA_CPP_VERSION };
  log.info({ mode, url, home, ...versions }, "serve.listening");
  return runFile;
}

interface Stopping {
  role: Role;
  listener: Listener;
  settings: Settings;
  log: Logger;
  signal: string;
}

async function stop({ role, listener, settings, log, signal }: Stopping): Promise<void> {
  const { drainTimeoutMs } = settings;
  const running = role.drain.active;
  log.info({ signal, running, drain_timeout_ms: drainTimeoutMs }, "serve.draining");
  if (running > 0 && process.stdout.isTTY === true) {
    process.stdout.write(`\nWaiting for ${running} running request${running === 1 ? "" : "s"}; `);
    process.stdout.write("Ctrl-C again stops at once.\n");
  }
  const startedAt = performance.now();
  await role.leave?.();
  const drained = await role.drain.close(drainTimeoutMs);
  if (!drained) log.warn({ cut: role.drain.active }, "serve.drain_timeout");
  const leftMs = Math.max(0, drainTimeoutMs - (performance.now() - startedAt));
  try {
    await role.close(Math.round(leftMs));
    await listener.stop(true);
  } catch (err) {
    log.error({ err }, "serve.close_failed");
  }
  log.info({ drained }, "serve.stopped");
}
