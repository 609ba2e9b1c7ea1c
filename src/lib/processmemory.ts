import { readFileSync } from "node:fs";

/**
 * The memory of a process itself in bytes, without the files that it has mapped (proc(5), status);
 * undefined on another system, or if the process is gone.
 */
export function privateBytesOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const [, kib] = /^RssAnon:\s*(\d+) kB$/m.exec(status) ?? [];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
