import { createHmac, timingSafeEqual } from "node:crypto";
import type { AuditAnchor, AuditEvent, AuditRecord, ChainPlace } from "../../db/audit/record.ts";

/** Where a chain begins of which nothing was ever deleted. */
export const GENESIS: ChainPlace = { seq: 0, mac: "" };

/** Part of each MAC; another way of making them gets another number. */
const FORMAT = 1;

/**
 * Every field of an event, in the order in which MACs cover them. The list and its order never
 * change; a field that is added goes to the end, under another format.
 */
const FIELDS = [
  ...(["time", "action", "route", "path", "subject", "details", "actorKind"] as const),
  ...(["userId", "userName", "keyId", "keyName", "address"] as const),
  ...(["status", "requestId", "count"] as const),
] as const satisfies readonly (keyof AuditEvent)[];

/** Longest text of a field. */
const CHARS_MAX = 2000;

/** What is wrong with a chain. */
export interface ChainFault {
  /** The number of the first record that is missing or wrong; undefined: none in particular. */
  seq: number | undefined;
  reason: string;
}

/** The record of an event: the next one after a place in the chain. */
export function chained(key: Uint8Array, before: ChainPlace, event: AuditEvent): AuditRecord {
  const record = { ...cleaned(event), seq: before.seq + 1 };
  return { ...record, mac: macOf(key, before.mac, record) };
}

/** What proves that a place is of this chain, where no record after it does. */
export function sealOf(
  key: Uint8Array,
  use: "head" | "anchor",
  { seq, mac, time }: ChainPlace & { time: number },
): string {
  return hmac(key, [use, FORMAT, seq, mac, time]);
}

/** Whether a seal is that of a place. */
export function isSealed(key: Uint8Array, use: "head" | "anchor", sealed: AuditAnchor): boolean {
  return isSame(sealed.seal, sealOf(key, use, sealed));
}

/** Follows a chain record by record, until the first fault. */
export class ChainCheck {
  readonly #key: Uint8Array;
  #place: ChainPlace;
  #checked = 0;
  #fault: ChainFault | undefined;

  constructor(key: Uint8Array, start: ChainPlace) {
    this.#key = key;
    this.#place = start;
  }

  /** After the last record that was right. */
  get place(): ChainPlace {
    return this.#place;
  }

  get checked(): number {
    return this.#checked;
  }

  get fault(): ChainFault | undefined {
    return this.#fault;
  }

  /** Checks the next record; false from the first fault on. */
  add(record: AuditRecord): boolean {
    if (this.#fault !== undefined) return false;
    const { seq, mac } = this.#place;
    if (record.seq !== seq + 1) this.#fault = gapBetween(seq + 1, record.seq);
    else if (!isSame(record.mac, macOf(this.#key, mac, record))) this.#fault = wrong(record.seq);
    if (this.#fault !== undefined) return false;
    this.#place = { seq: record.seq, mac: record.mac };
    this.#checked += 1;
    return true;
  }
}

/** The fault of a chain that ends before its head. */
export function cutOff(last: number, head: number): ChainFault {
  return { seq: last + 1, reason: `${records(last + 1, head)} missing at the end.` };
}

/** The fault of a record that fits its chain, but is not the one known to have been there. */
export function replaced(seq: number): ChainFault {
  const reason = `Record ${seq} is not the one that was there: an older log was put back.`;
  return { seq, reason };
}

function gapBetween(wanted: number, found: number): ChainFault {
  if (found > wanted) return { seq: wanted, reason: `${records(wanted, found - 1)} missing.` };
  const reason = `Record ${found} lies before the anchor: such records were deleted for their age.`;
  return { seq: found, reason };
}

function wrong(seq: number): ChainFault {
  const what = "it was changed, moved, or not written by this llmlb";
  return { seq, reason: `Record ${seq} does not fit its MAC: ${what}.` };
}

function records(first: number, last: number): string {
  return first === last ? `Record ${first} is` : `Records ${first} to ${last} are`;
}

function macOf(key: Uint8Array, before: string, record: Omit<AuditRecord, "mac">): string {
  return hmac(key, [FORMAT, before, record.seq, ...FIELDS.map((field) => record[field])]);
}

/** JSON keeps fields apart: no two lists have the same text. */
function hmac(key: Uint8Array, fields: readonly (string | number | null)[]): string {
  return createHmac("sha256", key).update(JSON.stringify(fields)).digest("base64url");
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A database keeps no halves of characters, and a list shows no control characters. */
function cleaned(event: AuditEvent): AuditEvent {
  const clean = (value: string | number | null) =>
    typeof value === "string"
      ? value
          .slice(0, CHARS_MAX)
          .replace(/\p{Cc}/gu, " ")
          .toWellFormed()
      : value;
  const entries = FIELDS.map((field) => [field, clean(event[field])]);
  return Object.fromEntries(entries) as unknown as AuditEvent;
}
