import { existsSync } from "node:fs";
import { join } from "node:path";
import { environment } from "../../config/environment.ts";
import { isOpenToAll } from "../../config/loopback.ts";
import type { Configuration } from "../../config/precedence.ts";
import type { Settings } from "../../config/settings.ts";
import { trustAuthorities } from "../../http/client/trust.ts";
import type { Certificate } from "../../http/server/certificate.ts";
import { limitConnections } from "../../http/server/connectionlimit.ts";
import type { Listener } from "../../http/server/listen.ts";
import { flushLog, type Logger } from "../../lib/log.ts";
import { lockDataFolder, makeDataFolder, openLog } from "../process/datafolder.ts";
import { reportError } from "../process/errorreport.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import type { PidFileHandle } from "../process/pidfile.ts";
import { onHangUp, stopSignals } from "../process/signals.ts";
import { logUncaught } from "../process/uncaught.ts";
import { printNote, printText } from "../terminal/output.ts";
import { createBalancerDaemon } from "./balancerdaemon.ts";
import { firstAdminNotice } from "./banner.ts";
import { CertificateWatch, firstCertificate, reloadAuthorities } from "./certificatewatch.ts";
import type { Daemon } from "./daemon.ts";
import { openEntrance, takeOver } from "./entrance.ts";
import { requireModelArguments, requireModelFiles } from "./modelchecks.ts";
import { createNodeDaemon } from "./nodedaemon.ts";
import { tellServiceManager } from "./servicemanager.ts";
import { reloadSettings } from "./settingsreload.ts";
import { findPredecessor, tellFailure } from "./upgrade/predecessor.ts";
import { retire } from "./upgrade/retire.ts";
import { Successor } from "./upgrade/successor.ts";
import { upgradeAtSignal } from "./upgrade/watchforupgrade.ts";

/** Reads the settings again. Throws `ConfigError`. */
type ReadSettings = () => Configuration;

/**
 * Serves until a signal asks to stop, then drains. Ends the process: with 0; with 1 if a second
 * signal cut the drain short; else with the code of the error that it prints.
 */
export async function serve(configuration: Configuration, read: ReadSettings): Promise<never> {
  try {
    process.exit(await serveUntilStopped(configuration, read));
  } catch (cause) {
    tellFailure(cause);
    // Whatever was opened before, such as a socket, would keep the process alive.
    process.exit(reportError(cause));
  }
}

/** Returns the exit code to end with. */
async function serveUntilStopped(
  configuration: Configuration,
  read: ReadSettings,
): Promise<ExitCode> {
  const { settings, warnings } = configuration;
  const predecessor = findPredecessor();
  if (settings.mode !== "balancer") requireModelFiles(settings);
  const isFirstRun = !existsSync(join(settings.home, "lb.db"));
  makeDataFolder(settings);
  let lock = predecessor === undefined ? lockDataFolder(settings) : undefined;
  const { book, reopen } = openLog(settings);
  const { log } = book;
  if (settings.mode !== "balancer") await requireModelArguments(settings, log);
  trustAuthorities(settings.tlsCa);
  const certificate = firstCertificate(settings, log);
  const signals = stopSignals();
  let watch: CertificateWatch | undefined;
  let running: Daemon | undefined;
  onHangUp(() => {
    reopen();
    reloadAuthorities(settings, log);
    watch?.reload();
    const onChange = (changes: Partial<Settings>) => running?.reloaded?.(changes);
    reloadSettings({ configuration, read, book, onChange });
  });
  for (const advice of warnings) log.warn({ advice }, "serve.settings");
  const prepared = await predecessor?.prepared();
  const relock = () => {
    lock = lockDataFolder(settings);
  };
  if (predecessor !== undefined) relock();
  const daemon =
    settings.mode === "node"
      ? await createNodeDaemon(settings, book)
      : await createBalancerDaemon(configuration, book);
  running = daemon;
  const parts = { settings, daemon, certificate, log, isFirstRun };
  const { listener, pidFile } =
    predecessor === undefined || prepared === undefined
      ? openEntrance(parts)
      : await takeOver({ ...parts, predecessor, ...prepared });
  logUncaught(log);
  limitConnections(listener, log);
  if (daemon.firstAdmin !== undefined) printText(firstAdminNotice(daemon.firstAdmin));
  warnIfOpen(settings, log);
  watch =
    certificate && watchCertificate({ settings, certificate, log, listener, daemon, pidFile });

  const manager = serviceManager(daemon, settings, log);
  signals.onSecond((second) => {
    log.warn({ signal: second, running: daemon.drain.active }, "serve.stopped_at_once");
    process.exit(EXIT.error);
  });
  const unlock = () => {
    lock?.release();
    lock = undefined;
  };
  const { port } = listener;
  const upgraded = upgradeAtSignal({ daemon, log, port, unlock, relock, pidFile });
  const end = await Promise.race([signals.first, daemon.failed, upgraded]);
  watch?.close();
  if (end instanceof Successor) {
    pidFile.handOver();
    manager.succeededBy(end.pid);
    await retire({ daemon, listener, successor: end, log, sooner: signals.first });
  } else manager.stopping();
  await shutDown({ daemon, listener, settings, log, end });
  manager.close();
  lock?.release();
  await flushLog(log);
  return end instanceof CliError ? reportError(end) : EXIT.ok;
}

/**
 * Systemd is told what `GET /ready` says. But a balancer that has no endpoints yet is up: it waits
 * for somebody to give it some, and systemd would end it.
 */
function serviceManager({ app }: Daemon, { mode }: Settings, log: Logger) {
  const isReady = async () => {
    const response = await app.request("http://localhost/ready");
    if (response.ok || mode !== "balancer") return response.ok;
    return (await response.text()).includes('"endpoints":[]');
  };
  return tellServiceManager({ env: environment(), isReady, log });
}

function warnIfOpen(settings: Settings, log: Logger): void {
  if (!isOpenToAll(settings)) return;
  const { host } = settings;
  printNote(`WARNING: access control is off: whoever can connect to ${host} can use all models, \
change everything and spend the money of your clouds.`);
  log.warn({ host }, "serve.open_to_all");
}

interface RenewalParts {
  settings: Settings;
  certificate: Certificate;
  log: Logger;
  listener: Listener;
  daemon: Daemon;
  pidFile: PidFileHandle;
}

function watchCertificate({ listener, daemon, pidFile, ...watched }: RenewalParts) {
  return new CertificateWatch({
    ...watched,
    renew: (certificate) => {
      listener.renew(certificate);
      // Whoever pins it has to know the new one before the next connection.
      pidFile.update({ tls_fingerprint: certificate.fingerprint });
      daemon.renewed(certificate.fingerprint);
    },
  });
}

interface ShutdownParts {
  daemon: Daemon;
  listener: Listener;
  settings: Settings;
  log: Logger;
  /** The signal that asked for it, why it cannot go on, or who has taken its place. */
  end: string | CliError | Successor;
}

async function shutDown({ daemon, listener, settings, log, end }: ShutdownParts): Promise<void> {
  const { drainTimeoutMs } = settings;
  if (end instanceof CliError) log.error({ reason: end.message }, "serve.failed");
  const isSucceeded = end instanceof Successor;
  const reason = end instanceof CliError ? "failed" : isSucceeded ? "upgraded" : end;
  const running = daemon.drain.active;
  log.info({ reason, running, drain_timeout_ms: drainTimeoutMs }, "serve.draining");
  if (running > 0 && process.stdout.isTTY === true) {
    process.stdout.write(`\nWaiting for ${running} running request${running === 1 ? "" : "s"}; `);
    process.stdout.write("Ctrl-C again stops at once.\n");
  }
  const startedAt = performance.now();
  if (!isSucceeded) await daemon.leave?.();
  const drained = await daemon.drain.close(drainTimeoutMs);
  if (!drained) log.warn({ cut: daemon.drain.active }, "serve.drain_timeout");
  const leftMs = Math.max(0, drainTimeoutMs - (performance.now() - startedAt));
  try {
    await daemon.close(Math.round(leftMs));
    await listener.stop(true);
  } catch (err) {
    log.error({ err }, "serve.close_failed");
  }
  log.info({ drained }, "serve.stopped");
}
