import { LOCAL_ENDPOINT } from "../../config/values/endpoint.ts";
import { BEAT_MS } from "../../engine/watchdog.ts";
import { trustAuthorities } from "../../http/client/trust.ts";
import { limitConnections } from "../../http/server/connectionlimit.ts";
import { exitWithParent, postToParent } from "../../lib/childprocess.ts";
import { LogBook } from "../../lib/logbook.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { listenNear } from "../process/port.ts";
import { ignoreStopSignals } from "../process/signals.ts";
import { logUncaught } from "../process/uncaught.ts";
import { type LocalNodeMessage, ParentMessage } from "./localnodemessages.ts";
import { createNodeDaemon } from "./nodedaemon.ts";

/**
 * Runs the local node of a standalone llmlb in this process. The parent process sends its settings
 * and the request to stop; the node ends at once if the parent is gone. Ends the process.
 */
export async function runLocalNode(): Promise<never> {
  if (process.send === undefined) {
    throw new CliError("This command is started by llmlb itself; use llmlb node.", EXIT.usage);
  }
  ignoreStopSignals();
  const parent = receiveFromParent();
  const { settings, balancer, occupiedMemory } = await parent.settings;
  const book = new LogBook({ level: settings.logLevel, readable: false });
  const { log } = book;
  trustAuthorities(settings.tlsCa);
  let { isOpen } = balancer;
  const credentials = { nodeId: LOCAL_ENDPOINT, credential: balancer.secret };
  const daemon = await createNodeDaemon(settings, book, {
    url: balancer.url,
    credentials: () => credentials,
    fingerprint: () => parent.fingerprint(),
    isOpen: () => isOpen,
  });
  daemon.occupied(occupiedMemory);
  parent.onMessage((message) => {
    if (message.type === "log_level") book.setLevel(message.level);
    if (message.type === "reload") Object.assign(settings, message.settings);
    if (message.type === "balancer_open") {
      isOpen = true;
      daemon.opened();
    }
    if (message.type === "occupied") daemon.occupied(message.memory);
    if (message.type === "hand_over") {
      daemon.handOver().finally(() => sendToParent({ type: "handed_over" }));
    }
  });
  const listener = listenNear(daemon.app, settings);
  const { url, port, stop } = listener;
  logUncaught(log);
  limitConnections(listener, log);
  daemon.onReadiness((readiness) => sendToParent({ type: "readiness", readiness }));
  daemon.failed.then(({ message, exitCode }) => {
    sendToParent({ type: "failed", message, exitCode });
  });
  sendToParent({ type: "listening", url, port });
  setInterval(() => sendToParent({ type: "beat" }), BEAT_MS);
  daemon.start(() => undefined, { port, fingerprint: undefined, isTaken: false });
  const drainMs = await parent.drainMs;
  await daemon.drain.close(drainMs);
  await daemon.close(0);
  await stop(true);
  process.exit(EXIT.ok);
}

interface ParentPromises {
  settings: Promise<Extract<ParentMessage, { type: "settings" }>>;
  /** Of the certificate that the balancer shows now. */
  fingerprint(): string | undefined;
  /** Sets what is called with each message, also with those that have come already. */
  onMessage(act: (message: ParentMessage) => void): void;
  /** Resolves when the parent asks to stop, with the longest drain. */
  drainMs: Promise<number>;
}

/** Tells the parent that this process listens to it; a message sent earlier would be lost. */
function receiveFromParent(): ParentPromises {
  const settings = Promise.withResolvers<Extract<ParentMessage, { type: "settings" }>>();
  const drainMs = Promise.withResolvers<number>();
  let fingerprint: string | undefined;
  const early: ParentMessage[] = [];
  let act = (message: ParentMessage): void => void early.push(message);
  exitWithParent((value) => {
    const message = ParentMessage.safeParse(value).data;
    if (message?.type === "settings") {
      fingerprint = message.balancer.fingerprint;
      settings.resolve(message);
    }
    if (message?.type === "certificate") fingerprint = message.fingerprint;
    if (message !== undefined) act(message);
    if (message?.type === "stop") drainMs.resolve(message.drainMs);
  });
  sendToParent({ type: "hello" });
  return {
    settings: settings.promise,
    fingerprint: () => fingerprint,
    onMessage: (listener) => {
      act = listener;
      for (const message of early.splice(0)) act(message);
    },
    drainMs: drainMs.promise,
  };
}

function sendToParent(message: LocalNodeMessage): void {
  postToParent(message);
}
