import type { Listener } from "../../../http/server/listen.ts";
import type { Logger } from "../../../lib/log.ts";
import type { Daemon } from "../daemon.ts";
import type { Successor } from "./successor.ts";

export interface RetireParts {
  daemon: Pick<Daemon, "drain" | "engineMemory">;
  listener: Pick<Listener, "leave">;
  successor: Pick<Successor, "pid" | "send">;
  log: Logger;
  /** Resolves when it is to end sooner, e.g. with a signal. */
  sooner: Promise<unknown>;
  /** Default: 1 s. */
  graceMs?: number;
}

/** What comes on connections that were begun before the new process listened. */
const GRACE_MS = 1000;
/** Without a request for so long it is over: clients have all connected anew. */
const QUIET_MS = 500;
/** The longest that a request may go on. */
const RUNNING_MS_MAX = 3_600_000;
const LOOK_MS = 100;
/** How often the new process is told what memory the engines here have still. */
const TELL_MS = 500;

/**
 * After another process has taken this one's place: answers what comes here still, tells clients to
 * connect anew, and waits until nothing runs any more, an hour at most.
 */
export async function retire(parts: RetireParts): Promise<void> {
  const { daemon, listener, successor, log, sooner, graceMs = GRACE_MS } = parts;
  const { drain } = daemon;
  drain.retire();
  const tell = async () => {
    successor.send({ type: "engines", memory: await daemon.engineMemory() });
  };
  const telling = setInterval(() => void tell().catch(() => undefined), TELL_MS);
  let isToEnd = false;
  sooner.then(() => {
    isToEnd = true;
  });
  log.info({ running: drain.active, successor_pid: successor.pid }, "upgrade.retiring");
  try {
    await Bun.sleep(graceMs);
    listener.leave();
    const endsAt = performance.now() + RUNNING_MS_MAX;
    let quietSince = performance.now();
    while (!isToEnd && performance.now() < endsAt) {
      const now = performance.now();
      if (drain.active > 0) quietSince = now;
      else if (now - quietSince >= QUIET_MS) break;
      await Bun.sleep(LOOK_MS);
    }
  } finally {
    clearInterval(telling);
  }
}
