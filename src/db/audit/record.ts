import type { AUDIT_ACTIONS } from "../../wire/audit.ts";

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Something that is to be recorded. */
export interface AuditEvent {
  /** Unix ms. */
  time: number;
  action: AuditAction;
  /** The route as it is registered: `PATCH /api/keys/:id`; null where none was reached. */
  route: string | null;
  /** The path that was asked for, without its query. */
  path: string | null;
  /** What was changed is called so. */
  subject: string | null;
  /** JSON: names of the changed fields, the code of a refusal. */
  details: string | null;
  /** The principal's kind; `system`: llmlb itself. */
  actorKind: string;
  userId: string | null;
  userName: string | null;
  keyId: string | null;
  keyName: string | null;
  address: string | null;
  status: number | null;
  requestId: string | null;
  /** How often it happened; more than once only for what came to nothing. */
  count: number;
}

/** An event with its place in the chain. */
export interface AuditRecord extends AuditEvent {
  /** From 1, without gaps. */
  seq: number;
  /** Of all other fields and the MAC before. */
  mac: string;
}

/** A place in the chain: after the record with this number and MAC. */
export interface ChainPlace {
  seq: number;
  mac: string;
}

/** What was deleted: everything up to here. Sealed, since nothing before it vouches for it. */
export interface AuditAnchor extends ChainPlace {
  /** Unix ms. */
  time: number;
  seal: string;
}
