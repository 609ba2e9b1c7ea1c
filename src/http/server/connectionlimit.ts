import { fileLimit, openFiles, openFilesMin } from "../../lib/filedescriptors.ts";
import type { Logger } from "../../lib/log.ts";
import type { Listener } from "./listen.ts";

const CHECK_MS = 100;
/** Of the limit; the rest is for connections to endpoints, for files, and for threads. */
const FULL_PART = 3 / 4;
/** Less than when it was full: connections without a request are gone within seconds. */
const ROOMY_PART = 1 / 2;

/**
 * Whether connections may be taken, by the files and sockets that are open of those that may be:
 * not from three quarters on, and then not until fewer than half are.
 */
export function mayTakeConnections(mayNow: boolean, open: number, limit: number): boolean {
  return open < limit * (mayNow ? FULL_PART : ROOMY_PART);
}

/**
 * Keeps connections from taking all files that this process may have open, so that those who are
 * connected are served and endpoints are reached: at three quarters no further ones are taken. They
 * are refused, and taken again once there is room.
 */
export function limitConnections(listener: Listener, log: Logger): void {
  const limit = fileLimit();
  if (limit === undefined) return;
  let isTaking = true;
  const check = () => {
    // Those who come take the low numbers first; those who leave make gaps.
    const open = isTaking ? openFilesMin() : openFiles();
    const may = mayTakeConnections(isTaking, open, limit);
    if (may === isTaking) return;
    try {
      if (may) listener.resume();
      else listener.pause();
    } catch (err) {
      log.error({ err }, "http.connections_not_resumed");
      return; // The next check tries again.
    }
    isTaking = may;
    if (may) log.info({}, "http.connections_resumed");
    else log.warn({ open_files_limit: limit }, "http.connections_paused");
  };
  setInterval(check, CHECK_MS).unref();
}
