import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";

const NULL_DEVICE = "/dev/null";

/**
 * Whether so many files or sockets more can be opened at this moment: they are, and closed again.
 * A new thread for which there are none ends the whole process, so it is to be asked before.
 */
export function canOpenFiles(count: number): boolean {
  if (process.platform === "win32") return true;
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync(NULL_DEVICE, "r"));
    return true;
  } catch {
    return false;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/**
 * How many files and sockets are open at least: a new one gets the lowest number that is free, so
 * all below are taken. Costs microseconds. Infinity: none can be opened any more.
 */
export function openFilesMin(): number {
  try {
    const fd = openSync(NULL_DEVICE, "r");
    closeSync(fd);
    return fd;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** How many files and sockets are open, exactly: they are listed. Infinity: too many for that. */
export function openFiles(): number {
  try {
    return readdirSync(process.platform === "linux" ? "/proc/self/fd" : "/dev/fd").length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Most files and sockets that this process may have open; undefined where it cannot be seen. */
export function fileLimit(): number | undefined {
  if (process.platform === "win32") return undefined;
  if (process.platform === "linux") {
    const [, soft] =
      /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? undefined : Number(soft);
  }
  const output = Bun.spawnSync(["sh", "-c", "ulimit -n"]).stdout.toString().trim();
  return /^\d+$/.test(output) ? Number(output) : undefined;
}
