import type { EndpointStatus } from "../../wire/endpoint.ts";
import { type HistoryFile, pruneTo } from "./file.ts";
import type { CheckRecord } from "./records.ts";
import type { ChecksTable } from "./schema.ts";

/** The history of health checks. Every query throws `StorageError`. */
export class Checks {
  readonly #file: HistoryFile;

  constructor(file: HistoryFile) {
    this.#file = file;
  }

  /** Stores a check within half a second; it neither waits nor fails. */
  record(check: CheckRecord): void {
    this.#file.writer.check(check);
  }

  /** The newest checks of an endpoint, newest first; with `before` (unix ms), only older ones. */
  async of(
    endpointId: string,
    { limit = 100, before }: { limit?: number; before?: number } = {},
  ): Promise<CheckRecord[]> {
    const checks = this.#file.reader.kysely.selectFrom("checks").selectAll();
    let query = checks.where("endpoint_id", "=", endpointId);
    if (before !== undefined) query = query.where("checked_at", "<", before);
    const newest = query.orderBy("checked_at", "desc").orderBy("seq", "desc").limit(limit);
    return (await newest.execute()).map(toCheck);
  }

  /** Deletes checks before `before` (unix ms), and the oldest ones beyond `rowsMax`. */
  prune(before: number, rowsMax: number, signal?: AbortSignal): Promise<number> {
    const bounds = { table: "checks", column: "checked_at", before, rowsMax } as const;
    return pruneTo(this.#file, bounds, signal);
  }
}

function toCheck(row: ChecksTable): CheckRecord {
  return {
    endpointId: row.endpoint_id,
    checkedAt: row.checked_at,
    succeeded: row.succeeded === 1,
    latencyMs: row.latency_ms,
    error: row.error,
    statusBefore: row.status_before as EndpointStatus,
    statusAfter: row.status_after as EndpointStatus,
  };
}
