import type { ChainPlace } from "../../db/audit/record.ts";
import type { AuditReader } from "../../db/audit/table.ts";
import { ChainCheck, type ChainFault, cutOff, GENESIS, isSealed, replaced } from "./chain.ts";
import type { HeadClaim } from "./headfile.ts";

/** What a check of the whole audit log found. */
export interface Verification {
  checked: number;
  /** Undefined: it is as it was written. */
  fault: ChainFault | undefined;
  /** The last record that was right. */
  last: ChainPlace;
  /** How far records were deleted for their age; 0: none were. */
  prunedUpTo: number;
}

export interface VerificationOptions {
  table: Pick<AuditReader, "after" | "anchor" | "record">;
  key: Uint8Array;
  /** What the file of the head says. */
  head: HeadClaim;
  /** Places that the chain is known to have had. */
  known?: readonly (ChainPlace | undefined)[];
}

/** Records of one slice: a few milliseconds' work. */
const SLICE_ROWS = 500;

/**
 * Checks the audit log from its anchor to its head, in slices; others have their turn in between.
 * Throws `StorageError`.
 */
export async function verify({
  table,
  key,
  head,
  known = [],
}: VerificationOptions): Promise<Verification> {
  const anchor = await table.anchor();
  const start = anchor ?? GENESIS;
  const check = new ChainCheck(key, { seq: start.seq, mac: start.mac });
  const done = (fault: ChainFault | undefined): Verification => {
    const { checked, place: last } = check;
    return { checked, fault, last, prunedUpTo: start.seq };
  };
  if (anchor !== undefined && !isSealed(key, "anchor", anchor)) return done(ANCHOR_FORGED);
  const expected = [...known, head].filter((one) => typeof one === "object");
  let rows = await table.after(-1, SLICE_ROWS);
  while (rows.length > 0) {
    for (const row of rows) {
      if (!check.add(row)) return done(check.fault);
      const isOther = expected.some(({ seq, mac }) => seq === row.seq && mac !== row.mac);
      if (isOther) return done(replaced(row.seq));
    }
    rows = await table.after(check.place.seq, SLICE_ROWS);
  }
  const other = expected.find(({ seq, mac }) => seq === start.seq && mac !== start.mac);
  if (other !== undefined) return done(replaced(other.seq));
  if (head === "forged") return done(HEAD_FORGED);
  // A new llmlb has neither.
  if (head === "missing" && check.place.seq > 0) return done(HEAD_MISSING);
  const end = Math.max(0, ...expected.map(({ seq }) => seq));
  return done(end > check.place.seq ? cutOff(check.place.seq, end) : undefined);
}

const ANCHOR_FORGED: ChainFault = {
  seq: undefined,
  reason: "The anchor, which tells how far records were deleted for their age, was changed.",
};

const HEAD_FORGED: ChainFault = {
  seq: undefined,
  reason: "The file audit.head was changed: records may be missing at the end.",
};

const HEAD_MISSING: ChainFault = {
  seq: undefined,
  reason: "The file audit.head is missing: records may be missing at the end.",
};
