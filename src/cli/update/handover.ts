import { readlinkSync } from "node:fs";
import { listPidFiles, type PidFile } from "../process/pidfile.ts";
import { handOver } from "../serve/restart.ts";
import { serviceHomes } from "../service/servicehomes.ts";
import { printNote } from "../terminal/output.ts";

/** What became of the servers of a program. */
export interface HandoverResult {
  /** Those that another process has taken the place of. */
  done: number;
  /** Why the first one that should have could not; undefined: none failed. */
  failed: string | undefined;
  /** Why those that cannot while they run did not, each. */
  refused: string[];
}

interface Server {
  home: string;
  entry: PidFile;
}

/** The servers that run from a program's file and are not of this version yet. */
export function serversBehind(options: { path: string; home: string; version: string }): Server[] {
  const homes = new Set([options.home, ...serviceHomes()]);
  return [...homes]
    .flatMap((home) => listPidFiles(home).map((entry) => ({ home, entry })))
    .filter(({ entry }) => entry.version !== options.version && runsFrom(entry.pid, options.path));
}

/** Makes servers go on as what is under their path now, one after the other, until one fails. */
export async function handOverAll(servers: readonly Server[]): Promise<HandoverResult> {
  const result: HandoverResult = { done: 0, failed: undefined, refused: [] };
  for (const { home, entry } of servers) {
    const outcome = await handOver(home, entry);
    if (outcome.kind === "refused") result.refused.push(outcome.reason);
    else if (outcome.kind === "failed") return { ...result, failed: outcome.reason };
    else {
      printNote(`llmlb (${entry.mode}, port ${entry.port}) goes on as process ${outcome.pid}.`);
      result.done += 1;
    }
  }
  return result;
}

/** Where the system tells it, whether a process runs a file; what was there is marked deleted. */
function runsFrom(pid: number, path: string): boolean {
  if (process.platform !== "linux") return true;
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "") === path;
  } catch {
    return true; // It is somebody else's, who will be told.
  }
}
