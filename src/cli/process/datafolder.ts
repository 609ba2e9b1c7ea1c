import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { logFileOf } from "../../config/fields/storage.ts";
import type { Settings } from "../../config/settings.ts";
import { type KernelLock, takeKernelLock } from "../../db/engine/kernellock.ts";
import { LogBook } from "../../lib/logbook.ts";
import { RotatingFile } from "../../lib/rotatingfile.ts";
import { CliError } from "./exit.ts";
import { describeFileError } from "./fileerror.ts";
import { listPidFiles, type PidFile } from "./pidfile.ts";

/** A log file of this size is renamed; one older file is kept. */
const LOG_BYTES_MAX = 32 * 2 ** 20;

/** The log of a serving llmlb. */
export interface OpenLog {
  book: LogBook;
  /** Opens the log's file again, which somebody may have moved away. */
  reopen(): void;
}

/** Creates the data folder. Throws `CliError` if it cannot be written. */
export function makeDataFolder({ home }: Pick<Settings, "home">): void {
  try {
    // Only for this user: keys and prompts are kept here.
    mkdirSync(home, { recursive: true, mode: 0o700 });
    mkdirSync(join(home, "run"), { recursive: true });
  } catch (cause) {
    throw unwritable(home, cause);
  }
}

/** Opens the log. Throws `CliError` if its file cannot be written. */
export function openLog(
  settings: Pick<Settings, "home" | "logLevel" | "logFile" | "logStderr">,
): OpenLog {
  const { logLevel: level, logStderr: stderr } = settings;
  const path = logFileOf(settings);
  if (path === undefined) return { book: new LogBook({ level, stderr }), reopen: () => undefined };
  try {
    const file = new RotatingFile({ path, bytesMax: LOG_BYTES_MAX });
    return { book: new LogBook({ level, stderr, file, path }), reopen: () => file.reopen() };
  } catch (cause) {
    const message = `The log ${path} cannot be written: ${describeFileError(cause)}.`;
    const advice = "Choose another file with --log-file, or none.";
    throw new CliError(`${message} ${advice}`, undefined, cause);
  }
}

/** The error of a data folder that cannot be written, with the path and the reason. */
function unwritable(home: string, cause: unknown): CliError {
  const { path = home } = cause as NodeJS.ErrnoException;
  const part = path === home ? "" : ` (${path})`;
  const message = `The data folder ${home} cannot be written${part}: ${describeFileError(cause)}.`;
  return new CliError(`${message} Choose another with --home.`, undefined, cause);
}

/**
 * Makes this process the only one of its kind on the data folder, as long as it lives: of two
 * balancers each would miss the endpoints of the other, and two nodes that joined a balancer would
 * be one there. Undefined for other nodes, which may share a folder. Throws `CliError` if another
 * process has the folder.
 */
export function lockDataFolder(settings: Pick<Settings, "home" | "mode" | "join">) {
  const { home, mode, join: balancer } = settings;
  if (mode === "node" && balancer === null) return undefined;
  const path = join(home, mode === "node" ? "node.lock" : "balancer.lock");
  let lock: KernelLock | undefined;
  try {
    lock = takeKernelLock(path);
  } catch (cause) {
    throw unwritable(home, cause);
  }
  if (lock !== undefined) return lock;
  const isRival = (other: PidFile) => (other.mode === "node") === (mode === "node");
  const [rival] = listPidFiles(home).filter(isRival);
  const who =
    rival === undefined
      ? `another llmlb (${mode === "node" ? "node" : "balancer"})`
      : `llmlb (${rival.mode}, process ${rival.pid}, port ${rival.port})`;
  throw new CliError(
    `The data folder ${home} is in use by ${who}. \
Stop it, or give this one a folder of its own with --home.`,
  );
}
