import { environment } from "../../../config/environment.ts";
import { SUCCEEDS } from "../../../config/succession.ts";
import { type SuccessorProcess, spawnSuccessor } from "../../../lib/childprocess.ts";
import { withDeadline } from "../../../lib/deadline.ts";
import { type PredecessorMessage, SuccessorMessage } from "./messages.ts";

type Step = "started" | "whole" | "listening";

/** Starts the process that is to take this one's place: with the same arguments and environment. */
export type SpawnSuccessor = typeof spawnSuccessor;

/** A process that is to take this one's place, as this one sees it; see `upgrade.ts`. */
export class Successor {
  readonly #child: SuccessorProcess;
  readonly #ended = Promise.withResolvers<never>();
  readonly #steps = {
    started: Promise.withResolvers<string>(),
    whole: Promise.withResolvers<string>(),
    listening: Promise.withResolvers<string>(),
  };
  #reason: string | undefined;

  constructor(spawn: SpawnSuccessor = spawnSuccessor) {
    // Nobody waits for it at the end.
    this.#ended.promise.catch(() => undefined);
    this.#child = spawn({
      args: process.argv.slice(2),
      env: {
        ...environment(),
        [SUCCEEDS]: String(process.pid),
        // It would be for this process alone (sd_watchdog_enabled(3)).
        WATCHDOG_PID: undefined,
      },
      onMessage: (message) => this.#onMessage(message),
    });
    this.#child.exited.then(({ code, signal }) => {
      const how = signal === null ? `with status ${code}` : `by ${signal}`;
      this.#ended.reject(new Error(this.#reason ?? `it ended ${how}; its output says why.`));
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it tells with this step. Throws an error with the reason if it fails or is late. */
  async reached(step: Step, timeoutMs: number): Promise<string> {
    const reached = Promise.race([this.#steps[step].promise, this.#ended.promise]);
    const end = await withDeadline(reached, { timeoutMs });
    if (end === "timeout") throw new Error(`it took longer than ${timeoutMs / 1000} s.`);
    return end as string;
  }

  /** Sends it a message; one that it does not get is no matter. */
  send(message: PredecessorMessage): void {
    try {
      this.#child.send(message);
    } catch {
      // It has ended; whoever waits for its next step hears of it.
    }
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  #onMessage(value: unknown): void {
    const message = SuccessorMessage.safeParse(value).data;
    switch (message?.type) {
      case "started":
        this.#steps.started.resolve(message.version);
        break;
      case "whole":
        this.#steps.whole.resolve(message.url);
        break;
      case "listening":
        this.#steps.listening.resolve("");
        break;
      case "failed":
        this.#reason = message.reason;
        break;
    }
  }
}
