import type { AuditTable } from "../../db/audit/table.ts";
import { ChainCheck, type ChainFault, GENESIS, sealOf } from "./chain.ts";

interface PruningOptions {
  table: Pick<AuditTable, "after" | "anchor" | "extent" | "lastBefore" | "moveAnchor">;
  key: Uint8Array;
  /** Older records are deleted (unix ms). */
  before: number;
  /** Beyond it, the oldest ones are deleted. */
  recordsMax: number;
}

const SLICE_ROWS = 500;

/**
 * Deletes the oldest records, and moves the anchor to the last one of them, a few thousand at a
 * time. They are checked before: else whoever changed one would only have to wait.
 */
export async function pruneChain({
  table,
  key,
  before,
  recordsMax,
}: PruningOptions): Promise<{ deleted: number; fault: ChainFault | undefined }> {
  let deleted = 0;
  let fault: ChainFault | undefined;
  for (;;) {
    const extent = await table.extent();
    if (extent === undefined) break;
    const bounds = { time: before, seq: extent.last - recordsMax + 1 };
    const last = await table.lastBefore(bounds);
    if (last === undefined) break;
    const check = new ChainCheck(key, (await table.anchor()) ?? GENESIS);
    const mac = await checkUpTo(table, check, last);
    fault ??= check.fault;
    const place = { seq: last, mac, time: Date.now() };
    await table.moveAnchor({ ...place, seal: sealOf(key, "anchor", place) });
    deleted += last - extent.first + 1;
  }
  return { deleted, fault };
}

/** Returns the MAC of the last of them. */
async function checkUpTo(
  table: PruningOptions["table"],
  check: ChainCheck,
  last: number,
): Promise<string> {
  let seq = -1;
  for (;;) {
    for (const row of await table.after(seq, SLICE_ROWS)) {
      check.add(row);
      seq = row.seq;
      if (seq === last) return row.mac;
    }
  }
}
