import { type HistoryFile, pruneTo } from "./file.ts";
import type { MadeResponse } from "./records.ts";

/** Who made which response. Every query throws `StorageError`. */
export class Responses {
  readonly #file: HistoryFile;

  constructor(file: HistoryFile) {
    this.#file = file;
  }

  /** Stores who made a response within half a second; it neither waits nor fails. */
  record(response: MadeResponse): void {
    this.#file.writer.response(response);
  }

  /** The response with this id, if it is known. */
  async get(id: string): Promise<MadeResponse | undefined> {
    const query = this.#file.reader.kysely.selectFrom("responses").selectAll().where("id", "=", id);
    const row = await query.executeTakeFirst();
    if (row === undefined) return undefined;
    return { id, upstreamId: row.upstream_id, model: row.model, madeAt: row.made_at };
  }

  /** Forgets those made before `before` (unix ms), and the oldest ones beyond `rowsMax`. */
  prune(before: number, rowsMax: number, signal?: AbortSignal): Promise<number> {
    const bounds = { table: "responses", column: "made_at", before, rowsMax } as const;
    return pruneTo(this.#file, bounds, signal);
  }
}
