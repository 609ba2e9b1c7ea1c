import type { Kysely } from "kysely";
import type { HistorySchema, RequestsTable } from "./schema.ts";

/** The columns of a request, without its bodies. */
export const REQUEST_COLUMNS = [
  ...(["id", "request_id", "request_type", "model"] as const),
  ...(["endpoint_id", "endpoint_name", "endpoint_url", "api_key_id", "client_ip"] as const),
  ...(["started_at", "completed_at", "streamed", "retries"] as const),
  ...(["succeeded", "http_status", "error", "queue_ms", "first_byte_ms", "duration_ms"] as const),
  ...(["input_tokens", "output_tokens", "cached_tokens", "token_source"] as const),
] satisfies (keyof RequestsTable)[];

/** All columns of a request, in the order of the statement's parameters. */
const REQUEST_PARAMETERS = [...REQUEST_COLUMNS, "request_body", "response_body"] as const;

/** The statements that write the history; the parameters of one run are one row. */
export function historyStatements(db: Kysely<HistorySchema>) {
  const request = Object.fromEntries(REQUEST_PARAMETERS.map((column) => [column, 0]));
  return {
    /**
     * Parameters: `REQUEST_PARAMETERS`. A request that is stored already stays as it is, since a
     * batch may be written twice.
     */
    request: db
      .insertInto("requests")
      .values(request as unknown as RequestsTable)
      .onConflict((conflict) => conflict.doNothing())
      .compile().sql,
    /** Parameters: see `usageStatement`. */
    usage: usageStatement(db),
    /** Parameters: endpoint, time, succeeded, latency, error, status before, status after. */
    check: db
      .insertInto("checks")
      .values({
        ...{ endpoint_id: "", checked_at: 0, succeeded: 0, latency_ms: 0, error: "" },
        ...{ status_before: "", status_after: "" },
      } as HistorySchema["checks"])
      .compile().sql,
    /** Parameters: id, upstream, model, time. The last one to make a response has it. */
    response: db
      .insertInto("responses")
      .values({ id: "", upstream_id: "", model: "", made_at: 0 } as HistorySchema["responses"])
      .onConflict((conflict) =>
        conflict.column("id").doUpdateSet((row) => ({
          upstream_id: row.ref("excluded.upstream_id"),
          model: row.ref("excluded.model"),
          made_at: row.ref("excluded.made_at"),
        })),
      )
      .compile().sql,
  };
}

/** Parameters: day, endpoint, model, key, type of request, then the numbers to add. */
function usageStatement(db: Kysely<HistorySchema>): string {
  return db
    .insertInto("usage")
    .values({
      ...{ day: "", endpoint_id: "", model: "", api_key_id: "", request_type: "" },
      ...{ requests: 0, succeeded: 0, failed: 0 },
      ...{ input_tokens: 0, output_tokens: 0, cached_tokens: 0, duration_ms: 0 },
    })
    .onConflict((conflict) =>
      conflict
        .columns(["day", "endpoint_id", "model", "api_key_id", "request_type"])
        .doUpdateSet((row) => ({
          requests: row("usage.requests", "+", row.ref("excluded.requests")),
          succeeded: row("usage.succeeded", "+", row.ref("excluded.succeeded")),
          failed: row("usage.failed", "+", row.ref("excluded.failed")),
          input_tokens: row("usage.input_tokens", "+", row.ref("excluded.input_tokens")),
          output_tokens: row("usage.output_tokens", "+", row.ref("excluded.output_tokens")),
          cached_tokens: row("usage.cached_tokens", "+", row.ref("excluded.cached_tokens")),
          duration_ms: row("usage.duration_ms", "+", row.ref("excluded.duration_ms")),
        })),
    )
    .compile().sql;
}
