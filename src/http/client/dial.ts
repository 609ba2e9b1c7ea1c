import type { SocketHandler } from "bun";
import { guardedAddresses } from "../ssrf.ts";
import { type Address, refusedAddress } from "./address.ts";
import { tlsOptions } from "./trust.ts";
import { openTunnel } from "./tunnel.ts";

export interface DialOptions<T> {
  /** Data and handlers of the connection. */
  data: T;
  socket: SocketHandler<T>;
  /** Longest wait for a proxy. */
  timeoutMs: number;
}

/** Addresses of one name that are tried, at most. */
const ADDRESSES_MAX = 3;

/**
 * Connects to a server: to a Unix socket, directly, or through its proxy. Rejects with what went
 * wrong, `ClientError` for a refused address.
 */
export async function dial<T>(
  { place, tls, proxy, guarded }: Address,
  { timeoutMs, ...handling }: DialOptions<T>,
): Promise<unknown> {
  const options = { ...handling, ...(tls === undefined ? {} : { tls: tlsOptions(tls) }) };
  if ("unix" in place) return Bun.connect<T>({ ...place, ...options });
  const { hostname, port } = place;
  if (proxy !== undefined && tls !== undefined) {
    const target = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
    return openTunnel<T>({ ...handling, proxy, target, tls, timeoutMs });
  }
  const connect = (host: string) => Bun.connect<T>({ ...options, hostname: host, port });
  return guarded ? connectGuarded(hostname, connect) : connect(hostname);
}

/** Tries the addresses of a name one after the other, if none of them is refused. */
async function connectGuarded<T>(host: string, connect: (ip: string) => Promise<T>): Promise<T> {
  const addresses = await guardedAddresses(host);
  if (addresses === undefined) throw refusedAddress(host);
  let failure: unknown;
  for (const ip of addresses.slice(0, ADDRESSES_MAX)) {
    try {
      return await connect(ip);
    } catch (cause) {
      failure = cause;
    }
  }
  throw failure;
}
