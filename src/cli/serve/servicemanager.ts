import { sendDatagram } from "../../engine/datagram.ts";
import type { Logger } from "../../lib/log.ts";

export interface ServiceManagerOptions {
  /** `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are read of it. */
  env: Record<string, string | undefined>;
  /** Whether requests can be served. */
  isReady(): Promise<boolean>;
  log: Logger;
  /** How often it is asked until it is ready. Default: 500 ms. */
  pollMs?: number;
  send?: typeof sendDatagram;
}

/** What a service manager is told from now on. */
export interface ServiceManager {
  /** Tells that it ends; it goes on to say that it lives. */
  stopping(): void;
  /** Tells that another process is the service from now on, and then nothing more. */
  succeededBy(pid: number): void;
  close(): void;
}

const POLL_MS = 500;

/**
 * Tells systemd (`Type=notify`) when this process is ready, that it lives, and that it ends;
 * nothing where nobody asks. Source: sd_notify(3), sd_watchdog_enabled(3).
 */
export function tellServiceManager(options: ServiceManagerOptions): ServiceManager {
  const { env, isReady, log, pollMs = POLL_MS, send = sendDatagram } = options;
  const socket = env.NOTIFY_SOCKET;
  if (socket === undefined || socket === "")
    return { stopping: nothing, succeededBy: nothing, close: nothing };
  let isOver = false;
  const tell = (state: string) => {
    if (send(socket, state)) return;
    log.warn({ socket, state }, "service.not_told");
  };
  const untilReady = async () => {
    while (!isOver && !(await isReady())) await Bun.sleep(pollMs);
    if (isOver) return;
    tell("READY=1");
    log.info("service.ready");
  };
  untilReady().catch((err) => log.error({ err }, "service.not_told"));
  const watchdogMs = watchdogInterval(env);
  const beat = () => tell("WATCHDOG=1");
  const timer = watchdogMs === undefined ? undefined : setInterval(beat, watchdogMs / 2);
  const close = () => {
    isOver = true;
    clearInterval(timer);
  };
  return {
    stopping: () => {
      isOver = true;
      tell("STOPPING=1");
    },
    succeededBy: (pid) => {
      close();
      tell(`MAINPID=${pid}`);
    },
    close,
  };
}

function nothing(): void {
  // Nobody asks.
}

/** How long systemd waits for a sign of life, in ms; undefined if it does not. */
function watchdogInterval(env: Record<string, string | undefined>): number | undefined {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env;
  if (pid !== undefined && Number(pid) !== process.pid) return undefined;
  const ms = Number(usec) / 1000;
  return ms >= 2 ? ms : undefined;
}
