import type { App } from "../../http/server/app.ts";
import type { Drain } from "../../http/server/drain.ts";

/** What this process serves: a balancer or node, made but not listening yet. */
export interface Role {
  app: App;
  drain: Drain;
  /**
   * Begins the work that needs no request; called once the port is open. `onLocalNode` is told
   * where the local node listens, if there is one; `port` is the one that was opened.
   */
  start(onLocalNode: (url: string) => void, port: number): void;
  /** Tells those who send requests to send no more. */
  leave?(): Promise<void>;
  /** Ends everything that is still running; child processes get `drainMs` for what they serve. */
  close(drainMs: number): Promise<void>;
}
