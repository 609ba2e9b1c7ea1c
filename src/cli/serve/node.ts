import { hostname } from "node:os";
import { z } from "zod";
import { requiresKey } from "../../config/loopback.ts";
import type { Settings } from "../../config/settings.ts";
import { LOCAL_ENDPOINT } from "../../config/values/endpoint.ts";
import { exitWithParent, tellParent } from "../../lib/childprocess.ts";
import { createLogger, type Logger } from "../../lib/log.ts";
import { type Identity, openIdentity } from "../../node/membership/identity.ts";
import { Membership } from "../../node/membership/membership.ts";
import { TINY_MODEL_ID } from "../../node/models/tiny.ts";
import { createNode, type LlmlbNode } from "../../node/node.ts";
import type { BalancerClientOptions } from "../../node/sync/balancerclient.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { logUncaught } from "../process/failure.ts";
import { listenNear } from "../process/port.ts";
import { ignoreStopSignals } from "../process/signals.ts";
import type { Role } from "./role.ts";

/**
 * A node in this process. Its first model is loaded at once, so that the first chat is quick.
 * `parent` is the balancer that started it, if one did.
 */
export async function createNodeRole(
  settings: Settings,
  log: Logger,
  parent?: BalancerClientOptions,
): Promise<Role> {
  // The node beside a balancer is known to that alone, and needs no key to be so.
  const identity = settings.mode === "node" ? openIdentity(settings.home) : undefined;
  const key = identity !== undefined && requiresKey(settings) ? { key: identity.key } : {};
  const joined = identity && linkTo(settings, identity, () => membership?.credential);
  const balancer = parent ?? joined;
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

/** How a node that joins a balancer asks it, once it is enrolled. */
function linkTo(
  { join: url }: Settings,
  { node_id: nodeId }: Identity,
  credential: () => string | undefined,
): BalancerClientOptions | undefined {
  if (url === null) return undefined;
  const credentials = () => {
    const own = credential();
    return own === undefined ? undefined : { nodeId, credential: own };
  };
  return { url, credentials };
}

interface Joining {
  settings: Settings;
  log: Logger;
  identity: Identity;
  node: LlmlbNode;
}

/** The node's place at the balancer that it joins, if it does. */
function membershipOf({ settings, log, identity, node }: Joining): Membership | undefined {
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

const FromParent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("settings"),
    // Made by this same program a moment ago.
    settings: z.custom<Settings>((value) => typeof value === "object" && value !== null),
    balancer: z.object({ url: z.string(), secret: z.string() }),
  }),
  z.object({ type: z.literal("stop"), drainMs: z.number().nonnegative() }),
]);

type Given = Extract<z.infer<typeof FromParent>, { type: "settings" }>;

/**
 * The local node of a standalone llmlb: takes its settings and its end from the parent process, and
 * ends at once when that is gone. Ends the process.
 */
export async function serveLocalNode(): Promise<never> {
  if (process.send === undefined) {
    throw new CliError("This command is started by llmlb itself; use llmlb node.", EXIT.usage);
  }
  ignoreStopSignals();
  const parent = parentMessages();
  const { settings, balancer } = await parent.given;
  const log = createLogger({ level: settings.logLevel, readable: false });
  const pass = { nodeId: LOCAL_ENDPOINT, credential: balancer.secret };
  const role = await createNodeRole(settings, log, { url: balancer.url, credentials: () => pass });
  const { url, port, stop } = listenNear(role.app, settings);
  logUncaught(log);
  tellParent({ type: "listening", url, port });
  role.start(() => undefined, port);
  const drainMs = await parent.stop;
  await role.drain.close(drainMs);
  await role.close(0);
  await stop(true);
  process.exit(EXIT.ok);
}

/** Asks the parent for the settings: what it says before this process listens would be lost. */
function parentMessages(): { given: Promise<Given>; stop: Promise<number> } {
  const given = Promise.withResolvers<Given>();
  const stop = Promise.withResolvers<number>();
  exitWithParent((told) => {
    const message = FromParent.safeParse(told).data;
    if (message?.type === "settings") given.resolve(message);
    if (message?.type === "stop") stop.resolve(message.drainMs);
  });
  tellParent({ type: "hello" });
  return { given: given.promise, stop: stop.promise };
}
