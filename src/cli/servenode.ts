import { z } from "zod";
import type { Settings } from "../config/settings.ts";
import { createLogger, type Logger } from "../lib/log.ts";
import { exitWithParent, tellParent } from "../lib/self.ts";
import { createNode } from "../node/node.ts";
import { TINY_MODEL_ID } from "../node/tiny.ts";
import { CliError, EXIT } from "./exit.ts";
import { logUncaught } from "./failure.ts";
import { listenNear } from "./port.ts";
import type { Role } from "./role.ts";
import { ignoreStopSignals } from "./signals.ts";

/** A node in this process. Its first model is loaded at once, so that the first chat is quick. */
export async function createNodeRole(settings: Settings, log: Logger): Promise<Role> {
  const node = await createNode({ settings, log });
  return {
    app: node.app,
    drain: node.drain,
    start: () => {
      warm(settings.models[0]?.id ?? TINY_MODEL_ID);
    },
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
  role.start(() => undefined);
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
