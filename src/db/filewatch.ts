import { statSync } from "node:fs";
import type { Logger } from "../lib/log.ts";

const EVERY_MS = 10_000;

/**
 * Looks every 10 s whether the files of open databases are still those under their paths, and logs
 * an error, once, for each that was deleted or replaced: SQLite goes on with the old one, which
 * nobody will find again.
 */
export function watchFiles(
  paths: readonly string[],
  log: Logger,
  everyMs = EVERY_MS,
): { stop(): void } {
  const files = new Map(paths.map((path) => [path, inodeOf(path)]));
  const timer = setInterval(() => {
    for (const [path, inode] of files) {
      if (inodeOf(path) === inode) continue;
      files.delete(path);
      const advice = "Restart llmlb. What was changed since, and is not in a backup, is lost.";
      log.error({ path, advice }, "storage.file_replaced");
    }
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** What identifies the file under a path; undefined if there is none. */
function inodeOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined; // A folder above it is no folder any more.
  }
}
