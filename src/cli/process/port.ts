import { isIP } from "node:net";
import type { Settings } from "../../config/settings.ts";
import type { App } from "../../http/server/app.ts";
import { type ListenAddress, type Listener, listen } from "../../http/server/listen.ts";
import { errorMessage } from "../../lib/errormessage.ts";
import { CliError } from "./exit.ts";
import { listPidFiles } from "./pidfile.ts";
import { findPortOwner } from "./portowner.ts";

/** Listens on the host and port of the settings. Throws `CliError` with the reason if it cannot. */
export function listenOrExplain(
  app: App,
  settings: Settings,
  { certificate, isShared }: Pick<ListenAddress, "certificate" | "isShared">,
): Listener {
  const { host, port } = settings;
  try {
    return listen(app, { host, port, certificate, ...(isShared && { isShared }) });
  } catch (cause) {
    throw new CliError(explain(settings, cause), undefined, cause);
  }
}

/** Listens on a port, or on any free port if that one is in use. */
export function listenNear(app: App, { host, port }: Pick<Settings, "host" | "port">): Listener {
  try {
    return listen(app, { host, port });
  } catch (cause) {
    if (codeOf(cause) !== "EADDRINUSE") throw cause;
    return listen(app, { host, port: 0 });
  }
}

/** The process that listens on a port, for messages, e.g. `llmlb (node, process 12)`. */
export function describePortOwner(port: number, home: string): string | undefined {
  const own = listPidFiles(home).find((entry) => entry.port === port);
  if (own !== undefined) return `llmlb (${own.mode}, process ${own.pid})`;
  const owner = findPortOwner(port);
  return owner && `${owner.command || "a program"} (process ${owner.pid})`;
}

function explain({ host, port, home }: Settings, cause: unknown): string {
  const attempt = `Listening on ${host} port ${port} failed`;
  switch (codeOf(cause)) {
    case "EADDRINUSE": {
      const owner = describePortOwner(port, home) ?? "another program";
      const advice = "Stop it, or choose another port with --port (0 takes any free one).";
      return `${attempt}: the port is in use by ${owner}. ${advice}`;
    }
    case "EACCES":
      return `${attempt}: this user may not use that port. Choose one above 1023 with --port.`;
    case "EADDRNOTAVAIL":
      return `${attempt}: that is no address of this machine. Choose one with --host.`;
    default:
      // Bun reports EEXIST or the like for a name that cannot be resolved.
      if (isIP(host) === 0) return `${attempt}: that name is no address. Choose one with --host.`;
      return `${attempt}: ${errorMessage(cause)}`;
  }
}

function codeOf(cause: unknown): string | undefined {
  return (cause as NodeJS.ErrnoException | undefined)?.code;
}
