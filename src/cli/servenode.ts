import { hostname } from "node:os";
import { z } from "zod";
import { needsKey } from "../config/exposure.ts";
import type { Settings } from "../config/settings.ts";
import { createLogger, type Logger } from "../lib/log.ts";
import { exitWithParent, tellParent } from "../lib/self.ts";
import { type Identity, openIdentity } from "../node/identity.ts";
import { Membership } from "../node/membership.ts";
import { createNode, type LlmlbNode } from "../node/node.ts";
import { TINY_MODEL_ID } from "../node/tiny.ts";
import { CliError, EXIT } from "./exit.ts";
import { logUncaught } from "./failure.ts";
import { listenNear } from "./port.ts";
import type { Role } from "./role.ts";
import { ignoreStopSignals } from "./signals.ts";

/** A node in this process. Its first model is loaded at once, so that the first chat is quick. */
export async function createNodeRole(settings: Settings, log: Logger): Promise<Role> {
  // The node beside a balancer is known to that alone, and needs no key to be so.
  const identity = settings.mode === "node" ? openIdentity(settings.home) : undefined;
  const key = identity !== undefined && needsKey(settings) ? { key: identity.key } : {};
  const node = createNode({ settings, log, ...key });
  const membership = identity && membershipOf({ settings, log, identity, node });
  return {
    app: node.app,
    drain: node.drain,
    start: (_, port) => {
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
    describe: async () => {
      const { device, slots, models, llmlb_version: version } = await node.system();
      const ids = models.map(({ id }) => id);
      return { name: name ?? hostname(), version, device, models: ids, slots: slots.total };
    },
  });
}

const FromParent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("settings"),
    // Made by this same program a moment ago.
    settings: z.custom<Settings>((value) => typeof value === "object" && value !== null),
  }),
  z.object({ type: z.literal("stop"), drainMs: z.number().nonnegative() }),
]);

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
  const settings = await parent.settings;
  const log = createLogger({ level: settings.logLevel, readable: false });
  const role = await createNodeRole(settings, log);
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
function parentMessages(): { settings: Promise<Settings>; stop: Promise<number> } {
  const settings = Promise.withResolvers<Settings>();
  const stop = Promise.withResolvers<number>();
  exitWithParent((given) => {
    const message = FromParent.safeParse(given).data;
    if (message?.type === "settings") settings.resolve(message.settings);
    if (message?.type === "stop") stop.resolve(message.drainMs);
  });
  tellParent({ type: "hello" });
  return { settings: settings.promise, stop: stop.promise };
}
