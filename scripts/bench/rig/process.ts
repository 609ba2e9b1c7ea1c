import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What a process uses of the system; Linux only. */
export interface Usage {
  rssBytes: number;
  threads: number;
  openFiles: number;
  /** Those of the open files that are sockets. */
  sockets: number;
}

/** Ticks of /proc/<pid>/stat in a second; the same on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;

/** Reads what a process uses now. Throws where there is no /proc. */
export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1]);
  const files = readdirSync(`/proc/${pid}/fd`);
  const sockets = files.filter((name) => isSocket(`/proc/${pid}/fd/${name}`)).length;
  const openFiles = files.length;
  return { rssBytes: field("VmRSS") * 1024, threads: field("Threads"), openFiles, sockets };
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("socket:");
  } catch {
    return false; // closed meanwhile
  }
}

/** The processes that a process has started and that are there; Linux only. */
export function childrenOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.flatMap((thread) => {
    const children = readIfThere(`/proc/${pid}/task/${thread}/children`).trim();
    return children === "" ? [] : children.split(" ").map(Number);
  });
}

/**
 * Memory of a process in bytes, of what it shares with others its part (proc(5), smaps); 0 once it
 * has ended.
 */
export function proportionalBytes(pid: number): number {
  const [, kib] = /^Pss:\s*(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`)) ?? [];
  return Number(kib ?? 0) * 1024;
}

/** The arguments that a process was started with; none once it has ended. */
export function argumentsOf(pid: number): string[] {
  return readIfThere(`/proc/${pid}/cmdline`).split("\0").slice(0, -1);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process or the thread has ended
  }
}

/** Seconds of processor time of a process and its descendants; NaN where there is no /proc. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    return childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), own);
  } catch {
    return Number.NaN;
  }
}
