import type { FirstAdmin } from "../../auth/firststart.ts";
import type { Settings } from "../../config/settings.ts";
import type { App } from "../../http/server/app.ts";
import type { Drain } from "../../http/server/drain.ts";
import type { EngineMemory } from "../../wire/system.ts";
import type { CliError } from "../process/exit.ts";

/** Where a process can be reached. */
export interface Entrance {
  port: number;
  /** Fingerprint of the certificate that it shows; undefined: it speaks plain HTTP. */
  fingerprint: string | undefined;
  /** Another process has it still; `opened` tells when that is over. */
  isTaken: boolean;
}

/** A balancer or a node that this process is to serve; it does not listen yet. */
export interface Daemon {
  app: App;
  drain: Drain;
  /** What this start made, as the first one with access control; printed once. */
  firstAdmin?: FirstAdmin | undefined;
  /**
   * Starts the work in the background; called once it can be reached. `onLocalNode` is called with
   * the URL of the local node, if there is one.
   */
  start(onLocalNode: (url: string) => void, entrance: Entrance): void;
  /** The entrance is its own from now on. */
  opened(): void;
  /** Tells it what has changed in its settings, which most of it looks at for each request. */
  reloaded?(changes: Partial<Settings>): void;
  /** Tells it that another certificate is shown from now on. */
  renewed(fingerprint: string): void;
  /** Resolves with the reason if it cannot go on; the process is to end with its exit code. */
  readonly failed: Promise<CliError>;
  /** Resolves when it can answer requests as well as it ever will; to be called after `start`. */
  settled(): Promise<void>;
  /** Holds back what only one process may do with the data folder: another is to take over. */
  suspend(): Promise<void>;
  /** No other takes over after all. */
  resume(): void;
  /**
   * After `suspend`: another has taken over. Ends what runs in the background, engines that nobody
   * uses, and the others after their last request.
   */
  handOver(): Promise<void>;
  /** What its engines have. */
  engineMemory(): Promise<EngineMemory>;
  /** What engines of the process before this one have; nothing: they have ended. */
  occupied(memory: EngineMemory): void;
  /** Tells the balancer to send no more requests. */
  leave?(): Promise<void>;
  /** Ends everything that still runs; child processes may drain for `drainMs`. */
  close(drainMs: number): Promise<void>;
}
