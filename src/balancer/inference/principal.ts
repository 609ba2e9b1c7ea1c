import type { Scope } from "../../http/server/fastpath.ts";

/** Of this process only: what is kept of a key cannot be tried against guesses elsewhere. */
const SEED = new BigUint64Array(crypto.getRandomValues(new Uint8Array(8)).buffer)[0] ?? 0n;

/**
 * Whose request it is, for sharing slots: the one with that bearer token or `x-api-key`, known by
 * a hash; without any, whoever sends from that address. To be kept in memory only.
 */
export function clientOf(headers: Headers, address: string | undefined): string {
  const key = headers.get("authorization") ?? headers.get("x-api-key");
  if (key !== null) return Bun.hash.wyhash(key, SEED).toString(36);
  return address ?? "";
}

/** The IP address that a request comes from; undefined if its connection is gone. */
export function addressOf(c: Scope): string | undefined {
  return c.env.server?.requestIP(c.req.raw)?.address;
}
