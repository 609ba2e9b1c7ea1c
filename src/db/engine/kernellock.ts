import { Database } from "bun:sqlite";

/** How long to wait for a lock: two that ask at the same moment hold each other up for a while. */
const WAIT_MS_MAX = 1000;

/** A lock that this process holds. The kernel gives it back when the process ends, however. */
export interface KernelLock {
  release(): void;
}

/**
 * Takes the lock of a file, which is created; undefined if another process has it. It is SQLite's
 * lock of an empty database, so it works wherever the other databases do. Throws if the file cannot
 * be written or its file system has no locks.
 */
export function takeKernelLock(path: string): KernelLock | undefined {
  const db = new Database(path, { create: true, readwrite: true });
  try {
    db.run(`PRAGMA busy_timeout = ${WAIT_MS_MAX}`);
    db.run("BEGIN EXCLUSIVE");
  } catch (cause) {
    db.close();
    if (String((cause as { code?: unknown }).code).startsWith("SQLITE_BUSY")) return undefined;
    throw cause;
  }
  return { release: () => db.close() };
}
