import { hostname } from "node:os";
import { requiresKey } from "../../config/loopback.ts";
import type { Settings } from "../../config/settings.ts";
import type { Logger } from "../../lib/log.ts";
import { type Identity, openIdentity } from "../../node/membership/identity.ts";
import { Membership } from "../../node/membership/membership.ts";
import { TINY_MODEL_ID } from "../../node/models/tiny.ts";
import { createNode, type LlmlbNode } from "../../node/node.ts";
import type { BalancerClientOptions } from "../../node/sync/balancerclient.ts";
import type { Daemon } from "./daemon.ts";

/**
 * Creates a node in this process. Its first model is loaded at once, so that the first chat is
 * quick. `parent` is the balancer that started this process, if one did.
 */
export async function createNodeDaemon(
  settings: Settings,
  log: Logger,
  parent?: BalancerClientOptions,
): Promise<Daemon> {
  // Only its balancer knows the local node of a standalone llmlb, so it needs no key.
  const identity = settings.mode === "node" ? openIdentity(settings.home) : undefined;
  const key = identity !== undefined && requiresKey(settings) ? { key: identity.key } : {};
  const own = identity && balancerOf(settings, identity, () => membership?.credential);
  const balancer = parent ?? own;
  const node = createNode({
    settings,
    log,
    ...key,
    ...(balancer === undefined ? {} : { balancer }),
  });
  const membership: Membership | undefined =
    identity && membershipOf({ settings, log, identity, node });
  await node.open();
  return {
    app: node.app,
    drain: node.drain,
    start: (_, port) => {
      node.start();
      membership?.start(port);
      warm(settings.models[0]?.id ?? TINY_MODEL_ID);
    },
    leave: async () => membership?.leave(),
    close: () => node.close(),
  };

  async function warm(id: string): Promise<void> {
    try {
      await node.warm(id);
    } catch (err) {
      log.warn({ err, model: id }, "serve.warm_failed");
    }
  }
}

/** How the node reaches the balancer that it joins; without credentials until it is enrolled. */
function balancerOf(
  { join: url }: Settings,
  { node_id: nodeId }: Identity,
  credential: () => string | undefined,
): BalancerClientOptions | undefined {
  if (url === null) return undefined;
  const credentials = () => {
    const current = credential();
    return current === undefined ? undefined : { nodeId, credential: current };
  };
  return { url, credentials };
}

interface MembershipParts {
  settings: Settings;
  log: Logger;
  identity: Identity;
  node: LlmlbNode;
}

/** The membership of a node that joins a balancer; undefined if it joins none. */
function membershipOf({ settings, log, identity, node }: MembershipParts): Membership | undefined {
  const { join: balancer, token, advertise, home, name } = settings;
  if (balancer === null) return undefined;
  return new Membership({
    ...{ balancer, token, advertise, home, identity, log },
    onAnnounced: () => node.resync(),
    describe: async () => {
      const { device, slots, llmlb_version: version } = await node.system();
      const models = node.names();
      return { name: name ?? hostname(), version, device, models, slots: slots.total };
    },
  });
}
