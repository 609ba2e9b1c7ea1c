import type { AuditEvent, AuditRecord, ChainPlace } from "../../db/audit/record.ts";
import type { AuditTable } from "../../db/audit/table.ts";
import { StorageError } from "../../db/engine/error.ts";
import type { Logger } from "../../lib/log.ts";
import { Mutex } from "../../lib/mutex.ts";
import { chained } from "./chain.ts";
import type { HeadFile } from "./headfile.ts";
import { pruneChain } from "./pruning.ts";
import { systemEvent } from "./systemevent.ts";
import { findTail } from "./tail.ts";
import { type Verification, verify } from "./verification.ts";

export interface AuditLogOptions {
  /** Undefined: its file cannot be used; what happens is told in the log alone. */
  table: AuditTable | undefined;
  key: Uint8Array;
  headFile: HeadFile;
  log: Logger;
}

interface PendingEvent {
  event: AuditEvent;
  /** The id of the change that was begun. */
  begun: string | undefined;
  isTold: boolean;
}

/** Events that wait for a file that cannot be written. */
const PENDING_MAX = 1000;
const BATCH_ROWS = 500;
const RETRY_MS = 5000;

/**
 * Writes the audit log: gives each event its place in the chain. What cannot be written is told in
 * llmlb's own log, as an error with all of its fields, and tried again; no request fails for it.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #writing = new Mutex();
  /** Nothing is deleted while it is verified. */
  readonly #keeping = new Mutex();
  readonly #pending: PendingEvent[] = [];
  #tail: ChainPlace | undefined;
  #retry: Timer | undefined;
  #isClosed = false;
  /** Nothing is written until it is called: another process is about to do that. */
  #resume: (() => void) | undefined;
  /** Another process writes it now. */
  #isHandedOver = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  get table(): AuditTable | undefined {
    return this.#options.table;
  }

  /** Records an event. Settles when it is on the disk, or was told in the log; never rejects. */
  async record(event: AuditEvent, begun?: string): Promise<void> {
    const pending = { event, begun, isTold: false };
    const isFull = this.#pending.length >= PENDING_MAX;
    if (this.table === undefined || isFull || this.#isHandedOver) {
      this.#tell([pending], undefined);
      return;
    }
    this.#pending.push(pending);
    await this.#writing.run(() => this.#writeAll());
  }

  /** Keeps on the disk that a change begins, whose end `record` tells. Never rejects. */
  async begin(id: string, event: AuditEvent): Promise<boolean> {
    try {
      await this.table?.begin(id, event);
      return true;
    } catch (err) {
      this.#options.log.error({ err, event }, "audit.not_written");
      return false;
    }
  }

  /** Records the changes during which an earlier llmlb stopped. */
  async recordInterrupted(): Promise<void> {
    const begun = (await this.table?.begun()) ?? [];
    for (const { id, event } of begun) {
      await this.record({ ...JSON.parse(event), action: "interrupted", status: null }, id);
    }
  }

  /**
   * Checks all of it, and that `since` is one of its places. Throws `StorageError`, and 503 if its
   * file cannot be used.
   */
  verify(since?: ChainPlace): Promise<Verification> {
    const { key, headFile } = this.#options;
    return this.#keeping.run(async () => {
      const table = this.requireTable();
      // The file is behind while it is being written.
      const known = [since, await this.#writing.run(async () => this.#tail)];
      return verify({ table, key, known, head: headFile.read() });
    });
  }

  /** Deletes records that are older than `before` (unix ms), and the oldest beyond a number. */
  async prune(before: number, recordsMax: number): Promise<void> {
    const { table, key, log } = this.#options;
    if (table === undefined) return;
    await this.#keeping.run(async () => {
      const { deleted, fault } = await pruneChain({ table, key, before, recordsMax });
      if (deleted > 0) log.info({ records: deleted }, "audit.pruned");
      if (fault === undefined) return;
      log.error({ ...fault }, "audit.broken");
      await this.record(systemEvent("damaged records were deleted for their age", { ...fault }));
    });
  }

  /** The table, for whoever reads it. Throws 503 if its file cannot be used. */
  requireTable(): AuditTable {
    if (this.table !== undefined) return this.table;
    const message = "The audit log cannot be used: see audit.unavailable in llmlb's own log.";
    throw new StorageError("failed", message, { databaseCode: "AUDIT_UNAVAILABLE" });
  }

  /** Writes what waits, and nothing from then on until `resume` or `handOver`. */
  async suspend(): Promise<void> {
    const release = await this.#writing.acquire();
    await this.#writeAll();
    if (this.#tail !== undefined) await this.#writeHead(this.#tail);
    // Whoever writes next looks anew where it ends.
    this.#tail = undefined;
    this.#resume = release;
  }

  /** No other process writes it after all. */
  resume(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  /** Another process writes it from now on: what happens here is told in the log alone. */
  handOver(): void {
    this.#isHandedOver = true;
    clearTimeout(this.#retry);
    this.#tell(this.#pending.splice(0), undefined);
    this.resume();
  }

  /** Writes what waits. Its table is closed by whoever opened it. */
  async close(): Promise<void> {
    if (this.#isHandedOver) return;
    this.#isClosed = true;
    clearTimeout(this.#retry);
    await this.#writing.run(() => this.#writeAll());
    if (this.#tail !== undefined) await this.#writeHead(this.#tail);
  }

  /** Only one at a time. */
  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, BATCH_ROWS);
      try {
        const last = await this.#append(batch);
        this.#pending.splice(0, batch.length);
        this.#tail = last;
        void this.#writeHead(last);
      } catch (err) {
        this.#tell(batch, err);
        this.#retryLater();
        return;
      }
    }
  }

  /** Returns the new end of the chain. */
  async #append(batch: readonly PendingEvent[]): Promise<ChainPlace> {
    const table = this.requireTable();
    this.#tail ??= await this.#open();
    const finished = batch.flatMap(({ begun }) => begun ?? []);
    const events = batch.map(({ event }) => event);
    const records = this.#chain(this.#tail, events);
    try {
      await table.append(records, finished);
      return records.at(-1) ?? this.#tail;
    } catch (error) {
      if (!(error instanceof StorageError) || error.reason !== "duplicate") throw error;
    }
    // Nobody but this process writes here.
    const deleted = await table.removeAfter(this.#tail);
    this.#options.log.error({ records: deleted, after: this.#tail.seq }, "audit.foreign_records");
    const found = systemEvent("records that are not of this llmlb were deleted", { deleted });
    const all = this.#chain(this.#tail, [found, ...events]);
    await table.append(all, finished);
    return all.at(-1) ?? this.#tail;
  }

  /** Where the chain goes on. What is wrong with its end becomes the next record. */
  async #open(): Promise<ChainPlace> {
    const { key, headFile, log } = this.#options;
    const table = this.requireTable();
    const { tail, fault } = await findTail({ table, key, head: headFile.read() });
    if (fault === undefined) {
      // Before the first record: one without the file is taken for tampered with.
      if (tail.seq === 0) await this.#writeHead(tail);
      return tail;
    }
    log.error({ ...fault }, "audit.broken");
    const found = this.#chain(tail, [systemEvent("the log was not whole at start", { ...fault })]);
    await table.removeAfter(tail);
    await table.append(found, []);
    return found[0] ?? tail;
  }

  #chain(start: ChainPlace, events: readonly AuditEvent[]): AuditRecord[] {
    const records: AuditRecord[] = [];
    for (const event of events) {
      records.push(chained(this.#options.key, records.at(-1) ?? start, event));
    }
    return records;
  }

  async #writeHead(tail: ChainPlace): Promise<void> {
    const { headFile, log } = this.#options;
    await headFile.write(tail).catch((err) => log.error({ err }, "audit.head_not_written"));
  }

  #tell(events: readonly PendingEvent[], err: unknown): void {
    for (const pending of events) {
      const { event, isTold } = pending;
      if (!isTold) this.#options.log.error({ err, event }, "audit.not_written");
      pending.isTold = true;
    }
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#writing.run(() => this.#writeAll()), RETRY_MS);
    this.#retry.unref();
  }
}
