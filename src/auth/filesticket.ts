import { createHmac, timingSafeEqual } from "node:crypto";

/** What a ticket allows: to read the files of one model on one node, for a while. */
export interface FilesTicket {
  model: string;
  /** Unix ms. */
  expiresAt: number;
}

const PREFIX = "files";

/**
 * A ticket that a balancer gives to one node for the files of another. It is signed with the
 * other's key, which only that node and the balancer know, and does not tell it.
 */
export function signFilesTicket({ model, expiresAt }: FilesTicket, key: string): string {
  return [PREFIX, expiresAt, macOf({ model, expiresAt }, key)].join(".");
}

/** Whether a ticket was signed with this key, for this model, and is still good. */
export function isFilesTicket(
  ticket: string,
  model: string,
  key: string,
  now = Date.now(),
): boolean {
  const [, digits = "", mac = ""] = /^files\.(\d{1,15})\.([\w-]{43})$/.exec(ticket) ?? [];
  const expiresAt = Number(digits);
  if (mac === "" || expiresAt < now) return false;
  const expected = macOf({ model, expiresAt }, key);
  return timingSafeEqual(Buffer.from(mac), Buffer.from(expected));
}

function macOf({ model, expiresAt }: FilesTicket, key: string): string {
  const hmac = createHmac("sha256", key);
  return hmac.update(JSON.stringify([PREFIX, model, expiresAt])).digest("base64url");
}
