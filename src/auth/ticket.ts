import { createHmac, timingSafeEqual } from "node:crypto";

/** A permission that one node gets at another until a moment. */
export interface Ticket {
  /** `files`: to read the files of one model. `devices`: to use the devices that are lent. */
  kind: "files" | "devices";
  /** The model whose files they are; empty for devices. */
  subject: string;
  /** Unix ms. */
  expiresAt: number;
}

/**
 * The text of a ticket, which a balancer gives to one node for what another has. It is signed with
 * the other node's key, which only that node and the balancer know, and does not reveal it.
 */
export function signTicket(ticket: Ticket, key: string): string {
  return [ticket.kind, ticket.expiresAt, macOf(ticket, key)].join(".");
}

/** Whether a text is a ticket for this that was signed with this key and has not expired. */
export function isTicket(
  text: string,
  { kind, subject }: Omit<Ticket, "expiresAt">,
  key: string,
  now = Date.now(),
): boolean {
  const [, prefix, digits = "", mac = ""] = /^([a-z]+)\.(\d{1,15})\.([\w-]{43})$/.exec(text) ?? [];
  const expiresAt = Number(digits);
  if (prefix !== kind || expiresAt < now) return false;
  const expected = macOf({ kind, subject, expiresAt }, key);
  return timingSafeEqual(Buffer.from(mac), Buffer.from(expected));
}

function macOf({ kind, subject, expiresAt }: Ticket, key: string): string {
  const hmac = createHmac("sha256", key);
  return hmac.update(JSON.stringify([kind, subject, expiresAt])).digest("base64url");
}
