import type { AuditStore } from "../../db/audit/file.ts";
import type { Logger } from "../../lib/log.ts";
import { AuditLog } from "./auditlog.ts";
import { HeadFile } from "./headfile.ts";
import { RequestAudit } from "./requestaudit.ts";
import { systemEvent } from "./systemevent.ts";

/** The audit log of a balancer that runs. */
export interface Audit {
  log: AuditLog;
  auditor: RequestAudit;
  /** Holds changes back and writes nothing: another process is about to keep this book. */
  suspend(): Promise<void>;
  /** Goes on after `suspend`. */
  resume(): void;
  /** After `suspend`: another process keeps the book from now on. */
  handOver(): void;
  close(): Promise<void>;
}

export interface AuditOptions {
  store: AuditStore;
  log: Logger;
  /** How long records are kept. */
  retentionMs: number;
  /** What the first record of this start tells. */
  start: object;
}

/** Not at once: starting is more urgent. */
const FIRST_MS = 60_000;
/** How long changes that run may take to end before another process keeps the book. */
const HOLD_MS_MAX = 5000;
const EVERY_MS = 3_600_000;
/** How many turns lie between two checks of the whole log. */
const VERIFY_TURNS = 24;
/** Some 500 MB. */
const RECORDS_MAX = 2_000_000;

/** Begins to keep book: with this start, and with what an earlier one had begun. Never rejects. */
export async function openAudit({ store, log, retentionMs, start }: AuditOptions): Promise<Audit> {
  const { home, key, table } = store;
  const auditLog = new AuditLog({ table, key, headFile: new HeadFile(home, key), log });
  await auditLog.recordInterrupted().catch((err) => log.error({ err }, "audit.unavailable"));
  await auditLog.record(systemEvent("llmlb started", start));
  let turns = 0;
  const keep = async () => {
    if (table === undefined) return;
    try {
      if (turns % VERIFY_TURNS === 0) await tellFault(auditLog, log);
      turns += 1;
      await auditLog.prune(Date.now() - retentionMs, RECORDS_MAX);
    } catch (err) {
      log.error({ err }, "audit.unavailable");
    }
  };
  let keeping: Promise<void> | undefined;
  const run = () => {
    keeping = keep();
  };
  const timers = [setTimeout(run, FIRST_MS), setInterval(run, EVERY_MS)];
  for (const timer of timers) timer.unref();
  const auditor = new RequestAudit(auditLog);
  const endKeeping = () => {
    for (const timer of timers) clearTimeout(timer);
  };
  return {
    ...{ log: auditLog, auditor },
    suspend: async () => {
      await auditor.hold(HOLD_MS_MAX);
      await auditLog.suspend();
    },
    resume: () => {
      auditLog.resume();
      auditor.release(true);
    },
    handOver: () => {
      endKeeping();
      auditLog.handOver();
      auditor.release(false);
    },
    close: async () => {
      endKeeping();
      await keeping;
      await auditor.close();
      await auditLog.close();
    },
  };
}

async function tellFault(auditLog: AuditLog, log: Logger): Promise<void> {
  const { fault, checked } = await auditLog.verify();
  if (fault === undefined) log.debug({ records: checked }, "audit.verified");
  else log.error({ ...fault, advice: "llmlb audit verify tells it again." }, "audit.broken");
}
