import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../config/error.ts";
import type { Settings } from "../config/settings.ts";
import { createLogger, type Logger } from "../lib/log.ts";
import { CliError } from "./exit.ts";

/** A log file is set aside at the next start once it is this large; one older file is kept. */
const LOG_BYTES_MAX = 32 * 2 ** 20;

/** Where a serving llmlb writes its log. */
export function logFile(home: string): string {
  return join(home, "logs", "llmlb.log");
}

/** Creates the data folder and opens the log in it. Throws `CliError` if it cannot be written. */
export function openHome({ home, logLevel }: Pick<Settings, "home" | "logLevel">): Logger {
  const file = logFile(home);
  try {
    // Only for this user: keys and prompts are kept here.
    mkdirSync(home, { recursive: true, mode: 0o700 });
    mkdirSync(join(home, "logs"), { recursive: true });
    setAside(file);
    return createLogger({ level: logLevel, file });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CliError(
      `The data folder ${home} cannot be written: ${reason}. Choose another with --home.`,
      undefined,
      cause,
    );
  }
}

/** Refuses to start with model files that do not exist. */
export function requireModelFiles({ models }: Pick<Settings, "models">): void {
  for (const { id, path, mmproj } of models) {
    for (const file of mmproj === undefined ? [path] : [path, mmproj]) {
      if (existsSync(file)) continue;
      throw new ConfigError(`model ${id}: there is no file ${file}`);
    }
  }
}

function setAside(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size >= LOG_BYTES_MAX) renameSync(file, file.replace(/\.log$/, ".1.log"));
}
