import { mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../../config/settings.ts";
import { createLogger, type Logger } from "../../lib/log.ts";
import { CliError } from "./exit.ts";
import { listPidFiles } from "./pidfile.ts";

/** A log file of this size is renamed at the next start; one older file is kept. */
const LOG_BYTES_MAX = 32 * 2 ** 20;

/** Path of the log of a serving llmlb. */
export function logFile(home: string): string {
  return join(home, "logs", "llmlb.log");
}

const REASONS: Record<string, string> = {
  EACCES: "this user may not write there",
  EEXIST: "it is a file, not a folder",
  ENOENT: "the folder above it does not exist",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is a file, not a folder",
  EROFS: "the file system is read-only",
};

/** Creates the data folder and opens the log in it. Throws `CliError` if it cannot be written. */
export function openDataFolder({ home, logLevel }: Pick<Settings, "home" | "logLevel">): Logger {
  const file = logFile(home);
  try {
    // Only for this user: keys and prompts are kept here.
    mkdirSync(home, { recursive: true, mode: 0o700 });
    mkdirSync(join(home, "logs"), { recursive: true });
    rotateLog(file);
    return createLogger({ level: logLevel, file });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const reason = code in REASONS ? REASONS[code] : code;
    throw new CliError(
      `The data folder ${home} cannot be written: ${reason}. Choose another with --home.`,
      undefined,
      cause,
    );
  }
}

/** Longest wait for the answer of a server that may use the same data folder. */
const ANSWER_MS_MAX = 1000;

/**
 * Throws `CliError` if another balancer uses the data folder: each would miss the endpoints of the
 * other. Nodes may share one.
 */
export async function requireOwnDataFolder({ home, mode }: Pick<Settings, "home" | "mode">) {
  if (mode === "node") return;
  for (const { pid, port, url, mode: other } of listPidFiles(home)) {
    if (pid === process.pid || other === "node" || !(await answers(url))) continue;
    throw new CliError(
      `The data folder ${home} is in use by llmlb (${other}, process ${pid}, port ${port}). \
Stop it, or give this one a folder of its own with --home.`,
    );
  }
}

/** Whether a server answers: the process id of a pid file may belong to another program by now. */
async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) })).ok;
  } catch {
    return false; // Nobody listens there.
  }
}

function rotateLog(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size >= LOG_BYTES_MAX) renameSync(file, file.replace(/\.log$/, ".1.log"));
}
