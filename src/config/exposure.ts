import { ConfigError } from "./error.ts";
import type { Settings } from "./settings.ts";

/** Whether an address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  const address = host.toLowerCase().replace(/^\[|\]$/g, "");
  return (
    address === "localhost" ||
    address === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(address) ||
    /^::ffff:127(\.\d{1,3}){3}$/.test(address)
  );
}

/** Whether a node asks its callers for its key: where others can connect, unless told otherwise. */
export function needsKey({ host, insecure }: Pick<Settings, "host" | "insecure">): boolean {
  return !insecure && !isLoopback(host);
}

/**
 * Refuses to listen where others can connect, unless told so: a balancer has no access control yet.
 * A node has its key.
 */
export function requireLoopback(settings: Pick<Settings, "host" | "insecure" | "mode">): void {
  const { host, mode } = settings;
  if (mode === "node" || !needsKey(settings)) return;
  throw new ConfigError(
    `--host ${host}: refused, because everybody who can reach that address could use llmlb \
without a key. Listen on 127.0.0.1 and put a proxy with access control in front, or add \
--insecure if the network itself is trusted`,
  );
}
