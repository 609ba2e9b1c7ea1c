import type { ServerSettings } from "./fields/server.ts";

/** Whether only this machine can reach an address: `localhost`, `127.0.0.0/8` or `::1`. */
export function isLoopback(host: string): boolean {
  const address = host.toLowerCase().replace(/^\[|\]$/g, "");
  return (
    address === "localhost" ||
    address === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(address) ||
    /^::ffff:127(\.\d{1,3}){3}$/.test(address)
  );
}

type AccessSettings = Pick<ServerSettings, "host" | "access" | "insecure">;

/**
 * Whether requests must show whose they are: as the settings say, else if other machines can reach
 * the address.
 */
export function requiresAccess({ host, access, insecure }: AccessSettings): boolean {
  if (access === "auto") return !insecure && !isLoopback(host);
  return access === "required";
}

/** Whether everybody who can connect from another machine may do everything. */
export function isOpenToAll(settings: AccessSettings): boolean {
  return !requiresAccess(settings) && !isLoopback(settings.host);
}
