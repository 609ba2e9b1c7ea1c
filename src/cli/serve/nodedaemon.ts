import { hostname } from "node:os";
import { isOpenToAll, requiresAccess } from "../../config/loopback.ts";
import type { Settings } from "../../config/settings.ts";
import { modelsWithFiles } from "../../config/values/model.ts";
import { proxyFor } from "../../http/client/proxy.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import type { Logger } from "../../lib/log.ts";
import type { LogBook } from "../../lib/logbook.ts";
import { type Identity, openIdentity } from "../../node/membership/identity.ts";
import { Membership, NO_TOKEN } from "../../node/membership/membership.ts";
import { TINY_MODEL_ID } from "../../node/models/tiny.ts";
import { createNode, type LlmlbNode } from "../../node/node.ts";
import type { BalancerClientOptions } from "../../node/sync/balancerclient.ts";
import { ApiError } from "../../wire/error.ts";
import { engineMemoryOf, type NodeReadiness } from "../../wire/system.ts";
import { CliError, EXIT, type ExitCode } from "../process/exit.ts";
import type { Daemon } from "./daemon.ts";

/** A node, and how its own balancer hears whether it can serve. */
export interface NodeDaemon extends Daemon {
  /** Calls `tell` now and whenever the answer of `GET /ready` may have changed. */
  onReadiness(tell: (readiness: NodeReadiness) => void): void;
}

/** With these failures no engine will ever start, so llmlb ends with the status. */
const HOPELESS: Partial<Record<string, ExitCode>> = {
  bad_arguments: EXIT.usage,
  broken_library: EXIT.error,
};

/**
 * Creates a node in this process. Its first model is loaded at once, so that the first chat is
 * quick. `parent` is the balancer that started this process, if one did.
 */
export async function createNodeDaemon(
  settings: Settings,
  book: LogBook,
  parent?: BalancerClientOptions,
): Promise<NodeDaemon> {
  const { log } = book;
  // Only its balancer knows the local node of a standalone llmlb, so it needs no key.
  const identity = settings.mode === "node" ? openIdentity(settings.home) : undefined;
  const key = identity !== undefined && requiresAccess(settings) ? { key: identity.key } : {};
  if (identity !== undefined) requireToken(settings, identity);
  requireKeyToLend(settings);
  const { promise: failed, resolve: fail } = Promise.withResolvers<CliError>();
  let tell: (readiness: NodeReadiness) => void = () => undefined;
  const own = identity && balancerOf(settings, identity, () => membership);
  const balancer = parent ?? own;
  const node: LlmlbNode = createNode({
    ...{ settings, book },
    ...key,
    joining: () => membership?.pending,
    // A model may be loaded before there is a list of models, and after it nothing else happens.
    onChange: () => tell(node.readiness()),
    ...(balancer === undefined ? {} : { balancer }),
  });
  const membership: Membership | undefined =
    identity &&
    membershipOf({
      ...{ settings, log, identity, node },
      onRefused: (reason) => fail(joinError(settings, reason)),
    });
  await node.open();
  return {
    app: node.app,
    drain: node.drain,
    failed,
    onReadiness: (listener) => {
      tell = listener;
      tell(node.readiness());
    },
    renewed: (fingerprint) => membership?.renewed(fingerprint),
    start: (_, entrance) => {
      node.start();
      membership?.start(entrance);
      for (const id of modelsToWarm(settings)) warm(id);
    },
    opened: () => node.resync(),
    settled: async () => undefined,
    // What two nodes of one data folder would disturb begins with `start`.
    suspend: async () => undefined,
    resume: () => undefined,
    handOver: () => {
      membership?.close();
      return node.retire();
    },
    engineMemory: async () => engineMemoryOf(await node.system()),
    occupied: (memory) => node.occupied(memory),
    leave: async () => membership?.leave(),
    close: () => node.close(),
  };

  async function warm(id: string): Promise<void> {
    const warmed = node.warm(id);
    tell(node.readiness());
    try {
      await warmed;
    } catch (err) {
      const reason = errorMessage(err);
      const end = err instanceof ApiError ? HOPELESS[err.code] : undefined;
      if (end === undefined) log.warn({ model: id, reason }, "serve.warm_failed");
      else fail(new CliError(reason, end, err));
    }
    tell(node.readiness());
  }
}

/** Those of the settings, else the first; a node that only lends its devices has none. */
function modelsToWarm({ preload, models, rpcWorker }: Settings): string[] {
  if (preload.length > 0) return preload;
  const [first] = modelsWithFiles(models);
  if (first === undefined && rpcWorker) return [];
  return [first?.id ?? TINY_MODEL_ID];
}

/** Throws `CliError` if a node that is to join a balancer has nothing to be let in with. */
function requireToken({ join: url, token }: Settings, { joined }: Identity): void {
  if (url === null || token !== null || joined?.balancer === url) return;
  throw new CliError(`Joining ${url} failed: ${NO_TOKEN}, for --token.`, EXIT.usage);
}

/** Throws `CliError` if anybody in the network could use the devices that are lent. */
function requireKeyToLend(settings: Settings): void {
  if (!settings.rpcWorker || !isOpenToAll(settings)) return;
  const message = `Lending devices on ${settings.host} is refused: without keys anybody who \
reaches it could run what he likes on them. Leave out --access off and --insecure.`;
  throw new CliError(message, EXIT.usage);
}

function joinError({ join: url }: Settings, reason: string): CliError {
  return new CliError(`Joining ${url} failed: ${reason}`, EXIT.usage);
}

/** How the node reaches the balancer that it joins; without credentials until it is enrolled. */
function balancerOf(
  { join: url }: Settings,
  { node_id: nodeId }: Identity,
  membership: () => Membership | undefined,
): BalancerClientOptions | undefined {
  if (url === null) return undefined;
  const credentials = () => {
    const current = membership()?.credential;
    return current === undefined ? undefined : { nodeId, credential: current };
  };
  return { url, credentials, fingerprint: () => membership()?.fingerprint };
}

interface MembershipParts {
  settings: Settings;
  log: Logger;
  identity: Identity;
  node: LlmlbNode;
  onRefused(reason: string): void;
}

/** The membership of a node that joins a balancer; undefined if it joins none. */
function membershipOf(parts: MembershipParts): Membership | undefined {
  const { settings, log, identity, node, onRefused } = parts;
  const { join: balancer, token, fingerprint, advertise, home, name } = settings;
  if (balancer === null) return undefined;
  return new Membership({
    ...{ balancer, token, fingerprint, advertise, home, identity, log },
    proxy: proxyFor(balancer, settings),
    onRefused,
    onAnnounced: () => node.resync(),
    describe: async () => {
      const { device, slots, llmlb_version: version } = await node.system();
      const models = node.names();
      return { name: name ?? hostname(), version, device, models, slots: slots.total };
    },
  });
}
