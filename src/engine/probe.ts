import { spawnSelf } from "../lib/childprocess.ts";
import type { Logger } from "../lib/log.ts";
import type { Device } from "../wire/system.ts";
import { libraryDirectories } from "./library.ts";
import { FromEngine, type ToEngine } from "./messages.ts";

export interface ProbeOptions {
  /** The data folder. */
  home: string;
  log: Logger;
}

/** Longest wait for a probe; a GPU driver may take seconds to wake. */
const PROBE_TIMEOUT_MS = 30_000;

/** The compute devices of this host, found by a short-lived process: no driver can hurt us. */
export async function probeDevices({ home, log }: ProbeOptions): Promise<Device[]> {
  const answer = await ask({ type: "probe", directories: await libraryDirectories(home) }, log);
  return answer.type === "devices" ? answer.devices : [];
}

/** Puts one question to a fresh engine process. Throws if it dies or is silent. */
export async function ask(question: ToEngine, log: Logger): Promise<FromEngine> {
  const { promise, resolve, reject } = Promise.withResolvers<FromEngine>();
  const child = spawnSelf({
    args: ["engine"],
    onMessage: (message) => {
      const answer = FromEngine.parse(message);
      if (answer.type === "devices" || answer.type === "libraries") resolve(answer);
    },
    onLine: (text) => log.debug({ component: "engine", text }, "engine.stderr"),
  });
  const timer = setTimeout(
    () => reject(new Error(`Looking for compute devices took over ${PROBE_TIMEOUT_MS} ms.`)),
    PROBE_TIMEOUT_MS,
  );
  child.exited.then(({ code, signal }) =>
    reject(new Error(`Looking for compute devices failed: the process ended (${signal ?? code}).`)),
  );
  child.send(question);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
  }
}
