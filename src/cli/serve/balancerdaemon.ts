import { openLocalCredential } from "../../auth/localcredential.ts";
import { createBalancer } from "../../balancer/balancer.ts";
import type { Configuration } from "../../config/precedence.ts";
import { LOCAL_ENDPOINT } from "../../config/values/endpoint.ts";
import { openState, type State, type StateOptions } from "../../db/database.ts";
import { withDeadline } from "../../lib/deadline.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import type { LogBook } from "../../lib/logbook.ts";
import { type EngineMemory, engineMemoryOf, NodeSystem } from "../../wire/system.ts";
import { CliError } from "../process/exit.ts";
import type { Daemon } from "./daemon.ts";
import { LocalNode } from "./localnode.ts";

/** Longest wait for the first checks of endpoints. */
const SETTLED_MS_MAX = 10_000;
const SYSTEM_MS_MAX = 2000;

/** Creates a balancer in this process and, in standalone mode, a node in a child process. */
export async function createBalancerDaemon(
  configuration: Configuration,
  book: LogBook,
): Promise<Daemon> {
  const { settings } = configuration;
  const { log } = book;
  const { home, historyRetentionMs: historyMs, historyBytesMax } = settings;
  const state = await openOrExplain({ home, log, historyMs, historyBytesMax });
  const localCredential = openLocalCredential(home);
  const balancer = await createBalancer({ configuration, state, book, localCredential });
  let node: LocalNode | undefined;
  let nodeUrl: string | undefined;
  let occupiedMemory: EngineMemory = {};
  const { promise: failed, resolve: onFailed } = Promise.withResolvers<CliError>();
  return {
    failed,
    app: balancer.app,
    firstAdmin: balancer.firstAdmin,
    drain: balancer.drain,
    reloaded: (changes) => {
      balancer.reloaded();
      node?.reloaded(changes);
    },
    renewed: (fingerprint) => node?.renewed(fingerprint),
    start: (onLocalNode, { port, fingerprint, isTaken }) => {
      balancer.start();
      if (settings.mode !== "standalone") return;
      balancer.expectEndpoint(LOCAL_ENDPOINT);
      node = new LocalNode({
        ...{ settings, book, isBalancerOpen: !isTaken },
        balancer: {
          url: ownUrl(settings.host, port, fingerprint !== undefined),
          secret: balancer.localSecret,
          ...(fingerprint === undefined ? {} : { fingerprint }),
        },
        onListening: (url) => {
          nodeUrl = url;
          balancer.addLocal({ name: LOCAL_ENDPOINT, url });
          onLocalNode(url);
        },
        onReadiness: (readiness) => balancer.setReadiness(LOCAL_ENDPOINT, readiness),
        onFailed,
      });
      book.onLevel = (level) => node?.setLogLevel(level);
      node.occupied(occupiedMemory);
      node.start();
    },
    opened: () => node?.balancerOpened(),
    settled: async () => {
      await withDeadline(balancer.ready(), { timeoutMs: SETTLED_MS_MAX });
    },
    suspend: () => balancer.suspend(),
    resume: () => balancer.resume(),
    handOver: async () => {
      balancer.handOver();
      await node?.handOver();
    },
    engineMemory: () => localEngineMemory(nodeUrl),
    occupied: (memory) => {
      occupiedMemory = memory;
      node?.occupied(memory);
    },
    close: async (drainMs) => {
      await balancer.close();
      await node?.stop(drainMs);
      await state.close();
    },
  };
}

/** What the engines of the local node have; nothing if it does not tell. */
async function localEngineMemory(url: string | undefined): Promise<EngineMemory> {
  if (url === undefined) return {};
  try {
    const response = await fetch(`${url}/api/system`, {
      signal: AbortSignal.timeout(SYSTEM_MS_MAX),
    });
    return engineMemoryOf(NodeSystem.parse(await response.json()));
  } catch {
    return {}; // It ends, or has not begun yet.
  }
}

/** The URL under which this machine reaches a server that listens on a host. */
function ownUrl(host: string, port: number, isSecure: boolean): string {
  const near = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${isSecure ? "https" : "http"}://${near.includes(":") ? `[${near}]` : near}:${port}`;
}

/** Opens the state. Throws `CliError` with the reason if it cannot. */
async function openOrExplain(options: StateOptions): Promise<State> {
  try {
    return await openState(options);
  } catch (cause) {
    throw new CliError(errorMessage(cause), undefined, cause);
  }
}
