import { environment } from "../config/environment.ts";
import { spawnProgram } from "../lib/childprocess.ts";
import type { Logger } from "../lib/log.ts";
import { ENGINE_COMMAND } from "./command.ts";
import { diagnoseCrash } from "./diagnosis.ts";
import { engineEnvironment } from "./environment.ts";
import { type EngineCommand, EngineEvent } from "./messages.ts";

/** Longest wait for an answer. A GPU driver may take seconds to wake up. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Last lines kept, to explain an end. */
const LINES_MAX = 40;

type Answer<T extends EngineEvent["type"]> = Extract<EngineEvent, { type: T }>;

/**
 * Sends one command to a new engine process, returns its event of type `answer` and kills it.
 * Throws if the process ends first, or after 30 s.
 */
export async function queryEngine<T extends "devices" | "libraries">(
  command: EngineCommand,
  answer: T,
  log: Logger,
): Promise<Answer<T>> {
  const lines: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Answer<T>>();
  const child = spawnProgram({
    args: [ENGINE_COMMAND],
    env: engineEnvironment(environment()),
    onMessage: (message) => {
      const event = EngineEvent.parse(message);
      if (event.type === answer) resolve(event as Answer<T>);
    },
    onLine: (text) => {
      lines.push(text);
      if (lines.length > LINES_MAX) lines.shift();
      log.debug({ component: "engine", text }, "engine.stderr");
    },
  });
  const timer = setTimeout(
    () => reject(new Error(`Looking for compute devices took over ${ANSWER_TIMEOUT_MS} ms.`)),
    ANSWER_TIMEOUT_MS,
  );
  child.exited.then((end) => {
    const { why } = diagnoseCrash(end, lines);
    reject(new Error(`Looking for compute devices failed: ${why}`));
  });
  child.send(command);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
  }
}
