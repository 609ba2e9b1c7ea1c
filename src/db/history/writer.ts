import type { Logger } from "../../lib/log.ts";
import type { RowStore } from "../engine/store.ts";
import { WriteBehindQueue } from "../engine/writebehind.ts";
import type { EndpointWriter } from "../state/endpointwriter.ts";
import { type HistoryItem, historyBatch } from "./batch.ts";
import {
  type CheckRecord,
  countsAsFailure,
  type MadeResponse,
  type NewRequestRow,
} from "./records.ts";
import type { HistorySchema } from "./schema.ts";
import { historyStatements } from "./statements.ts";

interface HistoryWriterOptions {
  history: RowStore<HistorySchema>;
  /** Counts the requests of each endpoint. */
  endpoints: EndpointWriter;
  log: Logger;
}

/** Writes requests, health checks and who made which response: in batches, without waiting. */
export class HistoryWriter {
  readonly queue: WriteBehindQueue<HistoryItem>;
  readonly #endpoints: EndpointWriter;
  #checks = 0;

  constructor({ history, endpoints, log }: HistoryWriterOptions) {
    const sql = historyStatements(history.kysely);
    this.#endpoints = endpoints;
    this.queue = new WriteBehindQueue({
      name: "history",
      log,
      bytesOf,
      write: (items) => history.batch(historyBatch(items, sql)),
    });
  }

  /** Writes a request, adds it to the statistics, and counts it for its endpoint. */
  request(request: NewRequestRow): void {
    const id = request.id ?? Bun.randomUUIDv7();
    this.queue.put(id, { id, request });
    const { endpointId, succeeded } = request;
    if (typeof endpointId !== "string") return;
    this.#endpoints.count(endpointId, succeeded, countsAsFailure(request));
  }

  /** Writes a health check. */
  check(check: CheckRecord): void {
    this.#checks += 1;
    this.queue.put(`check ${this.#checks}`, { check });
  }

  /** Writes who made a response. */
  response(response: MadeResponse): void {
    this.queue.put(`response ${response.id}`, { response });
  }
}

/** About how much memory a waiting item takes. */
function bytesOf(item: HistoryItem): number {
  if ("check" in item || "response" in item) return 400;
  const { requestBody, responseBody } = item.request;
  return 1600 + 2 * ((requestBody?.length ?? 0) + (responseBody?.length ?? 0));
}
