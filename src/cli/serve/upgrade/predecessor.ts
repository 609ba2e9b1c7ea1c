import { predecessorPid } from "../../../config/succession.ts";
import { VERSION } from "../../../config/version.ts";
import { postToParent } from "../../../lib/childprocess.ts";
import { errorMessage } from "../../../lib/errormessage.ts";
import type { EngineMemory } from "../../../wire/system.ts";
import { PredecessorMessage, type SuccessorMessage } from "./messages.ts";

type Prepare = Extract<PredecessorMessage, { type: "prepare" }>;

/** The process whose place this one is to take, as this one sees it; see `upgrade.ts`. */
export class Predecessor {
  readonly #prepare = Promise.withResolvers<Prepare>();
  readonly #take = Promise.withResolvers<void>();
  readonly #go = Promise.withResolvers<void>();
  #isGone = false;
  #hasAll = false;
  #onEngines: (memory: EngineMemory) => void = () => undefined;

  /** Begins to listen to it. Without it this process ends, unless all is its own by then. */
  constructor() {
    process.on("message", (message) => this.#onMessage(message));
    process.on("disconnect", () => {
      if (!this.#hasAll) process.exit(1);
      this.#isGone = true;
      this.#onEngines({});
    });
  }

  /** Tells that this process can do it. Resolves when the data folder is free. */
  prepared(): Promise<Prepare> {
    send({ type: "started", version: VERSION });
    return this.#prepare.promise;
  }

  /** Tells where this process can be tried. Resolves when it is to listen where clients connect. */
  whole(url: string): Promise<void> {
    send({ type: "whole", url });
    return this.#take.promise;
  }

  /** Tells that this process takes connections. Resolves when all is its own. */
  listening(): Promise<void> {
    send({ type: "listening" });
    return this.#go.promise;
  }

  /** Calls `act` with what its engines have, whenever that changes; at last with nothing. */
  onEngines(act: (memory: EngineMemory) => void): void {
    this.#onEngines = act;
    if (this.#isGone) act({});
  }

  #onMessage(value: unknown): void {
    const message = PredecessorMessage.safeParse(value).data;
    if (message?.type === "prepare") this.#prepare.resolve(message);
    if (message?.type === "take") this.#take.resolve();
    if (message?.type === "engines") this.#onEngines(message.memory);
    if (message?.type !== "go") return;
    this.#hasAll = true;
    this.#go.resolve();
  }
}

/** The process whose place this one is to take; undefined: it was started as any other. */
export function findPredecessor(): Predecessor | undefined {
  return predecessorPid() === undefined ? undefined : new Predecessor();
}

/** Tells the process before why this one cannot take its place; nothing if there is none. */
export function tellFailure(cause: unknown): void {
  if (predecessorPid() === undefined || process.connected !== true) return;
  send({ type: "failed", reason: errorMessage(cause) });
}

function send(message: SuccessorMessage): void {
  postToParent(message);
}
