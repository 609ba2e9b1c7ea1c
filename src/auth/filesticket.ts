import { createHmac, timingSafeEqual } from "node:crypto";

/** A permission to read the files of one model on one node until a moment. */
export interface FilesTicket {
  model: string;
  /** Unix ms. */
  expiresAt: number;
}

const PREFIX = "files";

/**
 * The text of a ticket, which a balancer gives to one node for the files of another. It is signed
 * with the other node's key, which only that node and the balancer know, and does not reveal it.
 */
export function signFilesTicket({ model, expiresAt }: FilesTicket, key: string): string {
  return [PREFIX, expiresAt, macOf({ model, expiresAt }, key)].join(".");
}

/** Whether a ticket was signed with this key for this model, and has not expired. */
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
