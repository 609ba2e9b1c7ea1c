import { readdirSync, readFileSync } from "node:fs";

/** What a process uses of the system; Linux only. */
export interface Usage {
  rssBytes: number;
  threads: number;
  openFiles: number;
}

/** Ticks of /proc/<pid>/stat in a second; the same on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;

/** Reads what a process uses now. Throws where there is no /proc. */
export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1]);
  const openFiles = readdirSync(`/proc/${pid}/fd`).length;
  return { rssBytes: field("VmRSS") * 1024, threads: field("Threads"), openFiles };
}

/** Seconds of processor time of a process and its descendants; NaN where there is no /proc. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    const pids = children === "" ? [] : children.split(" ").map(Number);
    return pids.reduce((sum, child) => sum + cpuSeconds(child), own);
  } catch {
    return Number.NaN;
  }
}
