import { formatDuration } from "../../../config/units.ts";
import { giveConnectionsToSecond } from "../../../engine/reuseport.ts";
import { errorMessage } from "../../../lib/errormessage.ts";
import type { Logger } from "../../../lib/log.ts";
import type { Daemon } from "../daemon.ts";
import { type SpawnSuccessor, Successor } from "./successor.ts";

export interface UpgradeParts {
  daemon: Pick<Daemon, "suspend" | "resume" | "handOver" | "engineMemory">;
  log: Logger;
  /** The port that clients use. */
  port: number;
  /** Gives the data folder free for the other process. */
  unlock(): void;
  /** Takes it again. */
  relock(): void;
  /** Default: what is now under this program's path. */
  spawn?: SpawnSuccessor;
  /** Default: `giveConnectionsToSecond`. */
  steer?(port: number): boolean;
}

/** It reads its settings and looks at its libraries and models. */
const STARTED_MS_MAX = 60_000;
/** It opens the databases, which may have to be brought to another schema, and checks endpoints. */
const WHOLE_MS_MAX = 120_000;
const LISTENING_MS_MAX = 10_000;
const HEALTH_MS_MAX = 5000;

/**
 * Starts the program that is now under this one's path, and hands over to it:
 *
 * | the new process                        | this one then                                       |
 * |----------------------------------------|-----------------------------------------------------|
 * | has right settings, libraries, models  | holds changes back, gives the data folder free      |
 * | is whole, at an address of its own     | asks it there whether it is healthy                 |
 * | listens on the same port               | lets the kernel give it all new connections, ends   |
 * |                                        | what runs in the background and idle engines        |
 * | has all                                | ends what it has begun: see `retire.ts`             |
 * | fails or is late before it listens     | ends it, and goes on as if nothing had been         |
 *
 * Throws an error with the reason in the last case.
 */
export async function upgrade(parts: UpgradeParts): Promise<Successor> {
  const { daemon, log, port, steer = giveConnectionsToSecond } = parts;
  const startedAt = performance.now();
  const successor = new Successor(parts.spawn);
  log.info({ successor_pid: successor.pid }, "upgrade.started");
  try {
    const version = await successor.reached("started", STARTED_MS_MAX);
    log.info({ successor_pid: successor.pid, version }, "upgrade.prepared");
    await bringToListen(successor, parts);
    const isSteered = steer(port);
    await daemon.handOver();
    successor.send({ type: "engines", memory: await daemon.engineMemory() });
    successor.send({ type: "go" });
    const took = formatDuration(Math.round(performance.now() - startedAt));
    log.info(
      { successor_pid: successor.pid, version, took, is_steered: isSteered },
      "upgrade.done",
    );
    return successor;
  } catch (cause) {
    await successor.kill();
    throw new Error(`The new llmlb did not come up: ${errorMessage(cause)}`, { cause });
  }
}

async function bringToListen(
  successor: Successor,
  { daemon, port, unlock, relock }: UpgradeParts,
): Promise<void> {
  const engineMemory = await daemon.engineMemory();
  await daemon.suspend();
  try {
    unlock();
    successor.send({ type: "prepare", port, engineMemory });
    await requireHealthy(await successor.reached("whole", WHOLE_MS_MAX));
    successor.send({ type: "take" });
    await successor.reached("listening", LISTENING_MS_MAX);
  } catch (cause) {
    // It must not hold the data folder any more.
    await successor.kill();
    daemon.resume();
    relock();
    throw cause;
  }
}

async function requireHealthy(url: string): Promise<void> {
  const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(HEALTH_MS_MAX) });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`its /health answers with status ${response.status}.`);
}

export interface UpgradeHost {
  platform: string;
  pid: number;
  /** `NOTIFY_SOCKET`, `SYSTEMD_EXEC_PID` and `XPC_SERVICE_NAME` are read of it. */
  env: Record<string, string | undefined>;
}

/**
 * Why no other process can take the place of this one, for people; undefined if one can. Whoever
 * watches this process takes its end for the end of the service, unless he is told of the other.
 */
export function upgradeProblem({ platform, pid, env }: UpgradeHost): string | undefined {
  if (platform === "win32") return "Windows lets no two processes share a port: stop and start it.";
  if (pid === 1) return "it is the first process of its container: replace the container.";
  // launchd names itself in everything that is started below it, terminals as well.
  if (platform === "darwin" && env.XPC_SERVICE_NAME?.startsWith("llmlb")) {
    return "launchd would take its end for that of the service: use launchctl kickstart -k.";
  }
  const isUnit = env.SYSTEMD_EXEC_PID === String(pid);
  if (!isUnit || env.NOTIFY_SOCKET) return undefined;
  return "systemd would take its end for that of the service: set Type=notify, or restart it.";
}
