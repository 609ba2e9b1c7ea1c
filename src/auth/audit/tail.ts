import type { ChainPlace } from "../../db/audit/record.ts";
import type { AuditReader } from "../../db/audit/table.ts";
import { ChainCheck, type ChainFault, cutOff, GENESIS, isSealed, replaced } from "./chain.ts";
import type { HeadClaim } from "./headfile.ts";

interface TailOptions {
  table: Pick<AuditReader, "after" | "anchor" | "extent" | "record">;
  key: Uint8Array;
  head: HeadClaim;
}

/** Where a chain goes on, and what is wrong with its end. */
interface Tail {
  tail: ChainPlace;
  fault: ChainFault | undefined;
}

const SLICE_ROWS = 500;

/**
 * Finds where the chain goes on after a start. What follows is chained to the last place that is
 * proven, so that whatever was done to the end while llmlb did not run is found by `verify` for as
 * long as records are kept:
 *
 * 1. The head's file is right: its place, and the records after it as far as they fit. (llmlb may
 *    have ended before it wrote the file.) If the head's own record is not there, numbers are left
 *    out for those that are missing.
 * 2. The file is missing or forged, and there are records: after the last record, and a number is
 *    left out.
 * 3. There is nothing: the beginning.
 */
export async function findTail({ table, key, head }: TailOptions): Promise<Tail> {
  const extent = await table.extent();
  if (typeof head === "object") {
    const own = head.seq === 0 ? undefined : await table.record(head.seq);
    const isThere = head.seq === 0 || own?.mac === head.mac || (await isAnchor(table, key, head));
    const last = extent?.last ?? 0;
    const fault = last < head.seq ? cutOff(last, head.seq) : replaced(head.seq);
    if (!isThere) return { tail: head, fault };
    return follow(table, new ChainCheck(key, head));
  }
  const anchor = await table.anchor();
  if (extent === undefined && anchor === undefined && head === "missing") {
    return { tail: GENESIS, fault: undefined };
  }
  const fault = { seq: undefined, reason: `The file audit.head is ${head}.` };
  const last = extent === undefined ? undefined : await table.record(extent.last);
  const { seq, mac } = last ?? anchor ?? GENESIS;
  // A number is left out: nobody can tell any more whether others followed.
  return { tail: { seq: seq + 1, mac }, fault };
}

async function follow(table: TailOptions["table"], check: ChainCheck): Promise<Tail> {
  for (;;) {
    const rows = await table.after(check.place.seq, SLICE_ROWS);
    for (const row of rows) if (!check.add(row)) break;
    if (check.fault !== undefined || rows.length < SLICE_ROWS) break;
  }
  return { tail: check.place, fault: check.fault };
}

/** Whether the head's own record was deleted for its age. */
async function isAnchor(
  table: TailOptions["table"],
  key: Uint8Array,
  head: ChainPlace,
): Promise<boolean> {
  const anchor = await table.anchor();
  return anchor?.seq === head.seq && anchor.mac === head.mac && isSealed(key, "anchor", anchor);
}
