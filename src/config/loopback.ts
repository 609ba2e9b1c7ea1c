import { ConfigError } from "./error.ts";
import type { Settings } from "./settings.ts";

/** Whether only this machine can reach an address: `localhost`, `127.0.0.0/8` or `::1`. */
function isLoopback(host: string): boolean {
  const address = host.toLowerCase().replace(/^\[|\]$/g, "");
  return (
    address === "localhost" ||
    address === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(address) ||
    /^::ffff:127(\.\d{1,3}){3}$/.test(address)
  );
}

/** Whether a node requires its key: it listens beyond loopback and `insecure` is not set. */
export function requiresKey({ host, insecure }: Pick<Settings, "host" | "insecure">): boolean {
  return !insecure && !isLoopback(host);
}

/**
 * Throws `ConfigError` if a balancer would listen beyond loopback without `insecure`: it has no
 * access control yet. A node may, because it requires its key.
 */
export function requireLoopback(settings: Pick<Settings, "host" | "insecure" | "mode">): void {
  const { host, mode } = settings;
  if (mode === "node" || !requiresKey(settings)) return;
  throw new ConfigError(
    `--host ${host}: refused, because everybody who can reach that address could use llmlb \
without a key. Listen on 127.0.0.1 and put a proxy with access control in front, or add \
--insecure if the network itself is trusted`,
  );
}
