import type { Settings } from "../../config/settings.ts";
import { fetchFrom } from "../client/request.ts";
import { serverOf } from "../client/server.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import { isProcessAlive, listPidFiles, type PidFile } from "../process/pidfile.ts";
import { printLine } from "../terminal/output.ts";

const POLL_MS = 100;
/** After the drain, how long a server may take to end its engines. */
const END_MS_MAX = 15_000;
const ANSWER_MS_MAX = 2000;

/**
 * Ends the servers of a data folder, or the one on `port`, in good order, and waits until they have
 * ended. Throws `CliError` if there is none, or one does not end.
 */
export async function stopServers(
  { home, drainTimeoutMs }: Pick<Settings, "home" | "drainTimeoutMs">,
  port: number | undefined,
): Promise<ExitCode> {
  for (const server of runningServers(home, port)) await stop(server, drainTimeoutMs + END_MS_MAX);
  return EXIT.ok;
}

/** The servers of a data folder, or the one on `port`. Throws `CliError` if there is none. */
export function runningServers(home: string, port: number | undefined): PidFile[] {
  const running = listPidFiles(home).filter((one) => port === undefined || one.port === port);
  if (running.length > 0) return running;
  const where = port === undefined ? home : `${home} on port ${port}`;
  throw new CliError(`No llmlb runs from ${where}.`, EXIT.unreachable);
}

async function stop(entry: PidFile, waitMs: number): Promise<void> {
  const { pid, mode, url } = entry;
  const name = `llmlb (${mode}, process ${pid})`;
  // By now its number may belong to another program.
  if (!(await serverAnswers(entry))) {
    throw new CliError(`${name} does not answer at ${url}: end the process yourself.`);
  }
  process.kill(pid, "SIGTERM");
  const endsAt = performance.now() + waitMs;
  while (isProcessAlive(pid)) {
    if (performance.now() > endsAt) {
      throw new CliError(`${name} has not ended within ${Math.round(waitMs / 1000)} s.`);
    }
    await Bun.sleep(POLL_MS);
  }
  printLine(`Stopped ${name}`);
}

/** Whether the process of a pid file serves. */
export async function serverAnswers(entry: PidFile): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    return (await fetchFrom(serverOf(entry), "/health", { signal })).ok;
  } catch {
    return false; // Nobody listens there.
  }
}
