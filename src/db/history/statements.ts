import { type Kysely, sql } from "kysely";
import { BUCKETS } from "./latency.ts";
import type { HistorySchema, RequestsTable } from "./schema.ts";

/** The columns of a request, without its bodies. */
export const REQUEST_COLUMNS = [
  ...(["id", "request_id", "request_type", "model"] as const),
  ...(["endpoint_id", "endpoint_name", "endpoint_url", "api_key_id"] as const),
  ...(["user_id", "client_ip", "client"] as const),
  ...(["started_at", "completed_at", "streamed", "retries"] as const),
  ...(["succeeded", "http_status", "error", "queue_ms", "first_byte_ms", "duration_ms"] as const),
  ...(["input_tokens", "output_tokens", "cached_tokens"] as const),
  ...(["token_source", "cost_micros"] as const),
] satisfies (keyof RequestsTable)[];

/** All columns of a request, in the order of the statement's parameters. */
const REQUEST_PARAMETERS = [
  ...REQUEST_COLUMNS,
  ...(["attempts", "facets", "request_body", "response_body"] as const),
];

/** What usage is added up by, beside its hour or day. */
const USAGE_KEYS = ["endpoint_id", "model", "api_key_id", "user_id", "request_type"] as const;

/** The names of the columns of a histogram. */
export const histogramColumns = (of: "first_byte" | "duration") =>
  Array.from({ length: BUCKETS }, (_, i) => `${of}_${i}`);

/** What is added up in usage, in the order of the statement's parameters. */
const USAGE_NUMBERS = [
  ...(["requests", "succeeded", "failed", "input_tokens", "output_tokens"] as const),
  ...(["cached_tokens", "duration_ms", "cost_micros"] as const),
  ...histogramColumns("first_byte"),
  ...histogramColumns("duration"),
];

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
    /** Parameters: hour or day, endpoint, model, key, user, type, then the numbers to add. */
    usageHours: usageStatement(db, "usage_hours", "hour"),
    usageDays: usageStatement(db, "usage_days", "day"),
    /** Parameters: kind, id, name. The last name counts. */
    name: db
      .insertInto("names")
      .values({ kind: "key", id: "", name: "" })
      .onConflict((conflict) =>
        conflict
          .columns(["kind", "id"])
          .doUpdateSet((row) => ({ name: row.ref("excluded.name") }))
          .whereRef("names.name", "<>", "excluded.name"),
      )
      .compile().sql,
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

function usageStatement(
  db: Kysely<HistorySchema>,
  table: "usage_hours" | "usage_days",
  period: "hour" | "day",
): string {
  const keys = [period, ...USAGE_KEYS];
  const columns = [...keys, ...USAGE_NUMBERS];
  const list = (names: readonly string[]) => sql.join(names.map((name) => sql.ref(name)));
  const added = USAGE_NUMBERS.map(
    (name) => sql`${sql.ref(name)} = ${sql.ref(name)} + ${sql.ref(`excluded.${name}`)}`,
  );
  const zeroes = sql.join(columns.map(() => 0));
  return sql`insert into ${sql.table(table)} (${list(columns)}) values (${zeroes})
    on conflict (${list(keys)}) do update set ${sql.join(added)}`.compile(db).sql;
}
