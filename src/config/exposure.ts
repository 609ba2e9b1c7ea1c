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

/** Refuses to listen where others can connect, unless told so: there is no access control yet. */
export function requireLoopback({ host, insecure }: Pick<Settings, "host" | "insecure">): void {
  if (insecure || isLoopback(host)) return;
  throw new ConfigError(
    `--host ${host}: refused, because everybody who can reach that address could use llmlb \
without a key. Listen on 127.0.0.1 and put a proxy with access control in front, or add \
--insecure if the network itself is trusted`,
  );
}
