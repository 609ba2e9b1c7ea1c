import type { App } from "../../http/server/app.ts";
import type { Drain } from "../../http/server/drain.ts";

/** A balancer or a node that this process is to serve; it does not listen yet. */
export interface Daemon {
  app: App;
  drain: Drain;
  /**
   * Starts the work in the background; called once `port` is open. `onLocalNode` is called with the
   * URL of the local node, if there is one.
   */
  start(onLocalNode: (url: string) => void, port: number): void;
  /** Tells the balancer to send no more requests. */
  leave?(): Promise<void>;
  /** Ends everything that still runs; child processes may drain for `drainMs`. */
  close(drainMs: number): Promise<void>;
}
