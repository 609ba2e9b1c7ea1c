import type { Kysely } from "kysely";
import type { Logger } from "../../lib/log.ts";
import type { RowStore } from "../engine/store.ts";
import { WriteBehindQueue } from "../engine/writebehind.ts";
import type { StateSchema } from "./schema.ts";

/** What is to be stored of somebody's limits: read when it is written. */
interface Count {
  subject: string;
  state(): object;
}

/** What keys and users have used of their limits; written in batches, without waiting. */
export class LimitCounts {
  readonly queue: WriteBehindQueue<Count>;
  readonly #db: Kysely<StateSchema>;
  #isHandedOver = false;

  constructor(state: RowStore<StateSchema>, log: Logger) {
    this.#db = state.kysely;
    const { sql } = this.#db
      .insertInto("limit_counts")
      .values({ subject: "", state: "" })
      .onConflict((conflict) =>
        conflict.column("subject").doUpdateSet((row) => ({ state: row.ref("excluded.state") })),
      )
      .compile();
    const rowOf = ({ subject, state }: Count) => JSON.stringify([subject, JSON.stringify(state())]);
    this.queue = new WriteBehindQueue({
      ...{ name: "limits", log, bytesOf: () => 500 },
      write: (counts) => state.batch([{ sql, rows: counts.map(rowOf) }]),
    });
  }

  /** What is stored, by subject. Throws `StorageError`. */
  async all(): Promise<Map<string, object>> {
    const rows = await this.#db.selectFrom("limit_counts").selectAll().execute();
    return new Map(rows.map(({ subject, state }) => [subject, JSON.parse(state)]));
  }

  /** Stores what somebody has used; `state` is asked for it when it is written. */
  put(subject: string, state: () => object): void {
    if (this.#isHandedOver) return;
    this.queue.put(subject, { subject, state });
  }

  /** Another process counts from now on, with what was stored. */
  handOver(): void {
    this.#isHandedOver = true;
  }
}
