import type { Settings } from "../../config/settings.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { isProcessAlive, listPidFiles, type PidFile } from "../process/pidfile.ts";
import { printLine } from "../terminal/output.ts";
import { runningServers, serverAnswers } from "./stop.ts";

const POLL_MS = 100;
/** The limits of all steps of an upgrade together, and some. */
const UPGRADE_MS_MAX = 240_000;

/** What became of a server that was asked to hand over. */
type RestartOutcome =
  | { kind: "done"; pid: number }
  /** It still serves, as before. */
  | { kind: "failed"; reason: string }
  /** It cannot while it runs: others take its end for that of the service. */
  | { kind: "refused"; reason: string };

/**
 * Makes the servers of a data folder, or the one on `port`, hand over to the program that is now in
 * their place, one after the other. Throws `CliError` with the reason if one does not.
 */
export async function restartServers(
  { home }: Pick<Settings, "home">,
  port: number | undefined,
): Promise<ExitCode> {
  for (const server of runningServers(home, port)) {
    const outcome = await handOver(home, server);
    if (outcome.kind !== "done") throw new CliError(outcome.reason);
    const { pid } = outcome;
    printLine(
      `${nameOf(server)} has handed over to process ${pid}, and ends with its last request.`,
    );
  }
  return EXIT.ok;
}

/** Makes a server hand over to the program that is now in its place, and waits until it has. */
export async function handOver(home: string, entry: PidFile): Promise<RestartOutcome> {
  const { pid, port, url } = entry;
  const name = nameOf(entry);
  const failed = (reason: string): RestartOutcome => ({ kind: "failed", reason });
  if (process.platform === "win32") {
    const reason = "On Windows llmlb cannot be upgraded while it runs: stop and start it.";
    return { kind: "refused", reason };
  }
  // By now its number may belong to another program.
  if (!(await serverAnswers(entry))) {
    return failed(`${name} does not answer at ${url}: end the process and start it again.`);
  }
  const startedAt = Date.now();
  try {
    process.kill(pid, "SIGUSR2");
  } catch {
    const reason = `${name} belongs to another user, who has to run llmlb restart.`;
    return { kind: "refused", reason };
  }
  while (Date.now() - startedAt < UPGRADE_MS_MAX) {
    await Bun.sleep(POLL_MS);
    const now = listPidFiles(home).find((one) => one.port === port);
    if (now !== undefined && now.pid !== pid) return { kind: "done", pid: now.pid };
    const { at = "", reason = "", is_refused = false } = now?.upgrade_failed ?? {};
    if (Date.parse(at) >= startedAt) {
      if (is_refused) return { kind: "refused", reason };
      return failed(`${reason}\n  ${name} still serves, as before.`);
    }
    if (!isProcessAlive(pid)) return failed(`${name} has ended: see its log.`);
  }
  return failed(`${name} has not handed over within ${UPGRADE_MS_MAX / 60_000} minutes.`);
}

function nameOf({ mode, pid }: PidFile): string {
  return `llmlb (${mode}, process ${pid})`;
}
