import type { Settings } from "../../config/settings.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { isProcessAlive, listPidFiles, type PidFile } from "../process/pidfile.ts";
import { printLine } from "../terminal/output.ts";
import { runningServers, serverAnswers } from "./stop.ts";

const POLL_MS = 100;
/** The limits of all steps of an upgrade together, and some. */
const UPGRADE_MS_MAX = 240_000;

/**
 * Makes the servers of a data folder, or the one on `port`, hand over to the program that is now in
 * their place, one after the other. Throws `CliError` with the reason if one does not.
 */
export async function restartServers(
  { home }: Pick<Settings, "home">,
  port: number | undefined,
): Promise<ExitCode> {
  if (process.platform === "win32") {
    throw new CliError("On Windows llmlb cannot be upgraded while it runs: stop and start it.");
  }
  for (const server of runningServers(home, port)) await restart(home, server);
  return EXIT.ok;
}

async function restart(home: string, entry: PidFile): Promise<void> {
  const { pid, mode, port, url } = entry;
  const name = `llmlb (${mode}, process ${pid})`;
  // By now its number may belong to another program.
  if (!(await serverAnswers(entry))) {
    throw new CliError(`${name} does not answer at ${url}: end the process and start it again.`);
  }
  const startedAt = Date.now();
  process.kill(pid, "SIGUSR2");
  while (Date.now() - startedAt < UPGRADE_MS_MAX) {
    await Bun.sleep(POLL_MS);
    const now = listPidFiles(home).find((one) => one.port === port);
    if (now !== undefined && now.pid !== pid) {
      printLine(`${name} has handed over to process ${now.pid}, and ends with its last request.`);
      return;
    }
    const { at = "", reason = "" } = now?.upgrade_failed ?? {};
    if (Date.parse(at) >= startedAt) {
      throw new CliError(`${reason}\n  ${name} still serves, as before.`);
    }
    if (!isProcessAlive(pid)) throw new CliError(`${name} has ended: see its log.`);
  }
  throw new CliError(`${name} has not handed over within ${UPGRADE_MS_MAX / 60_000} minutes.`);
}
