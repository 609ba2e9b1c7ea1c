import { type ExpressionBuilder, type Kysely, type RawBuilder, sql } from "kysely";
import { type Facets, facetMask } from "./facets.ts";
import type { HistorySchema } from "./schema.ts";

/** All conditions that are present hold at once; a list means any of it. */
export interface RequestFilter {
  model?: string;
  endpointId?: string | readonly string[];
  apiKeyId?: string | readonly string[];
  userId?: string | readonly string[];
  clientIp?: string;
  client?: string;
  requestType?: string;
  requestId?: string;
  httpStatus?: number;
  succeeded?: boolean;
  /** Unix ms, inclusive. */
  from?: number;
  /** Unix ms, exclusive. */
  until?: number;
}

/** Fields with an index of their own, those first that usually have the fewest requests. */
const INDEXED = {
  ...{ requestId: "request_id", clientIp: "client_ip", apiKeyId: "api_key_id" },
  ...{ userId: "user_id", endpointId: "endpoint_id", model: "model", client: "client" },
  requestType: "request_type",
} as const satisfies Partial<Record<keyof RequestFilter, string>>;
type IndexedField = keyof typeof INDEXED;

/** The condition whose index is used; undefined: the one by time. */
type Lead = IndexedField | "failed" | undefined;

/** Rows that are counted to find out which condition has the fewest. */
const COUNTED_MAX = 20_000;

/** Which of a filter's conditions has the fewest requests. Throws `StorageError`. */
export async function leadOf(db: Kysely<HistorySchema>, filter: RequestFilter): Promise<Lead> {
  const fields = (Object.keys(INDEXED) as IndexedField[]).filter(
    (field) => filter[field] !== undefined,
  );
  if (filter.requestId !== undefined) return "requestId";
  const leads: Lead[] = isFailed(filter) ? ["failed", ...fields] : fields;
  if (leads.length < 2) return leads[0];
  const counts = leads.map((lead) => countOf(lead, filter));
  const { rows } = await sql<{ n: string }>`select json_array(${sql.join(counts)}) as n`.execute(
    db,
  );
  const found: number[] = JSON.parse(rows[0]?.n ?? "[]");
  return leads[found.indexOf(Math.min(...found))];
}

/**
 * The conditions of a filter; only `lead` uses an index, beside the time. With `id` or `seq` it is
 * that of a condition that the query has besides.
 */
export function conditionOf(
  row: ExpressionBuilder<HistorySchema, "requests">,
  filter: RequestFilter,
  lead: Lead | "id" | "seq",
) {
  const others = (Object.keys(INDEXED) as IndexedField[]).filter(
    (field) => filter[field] !== undefined && field !== lead,
  );
  const { httpStatus, succeeded } = filter;
  return row.and([
    ...timeConditions(filter, lead === "seq"),
    ...facetConditions(filter, lead),
    ...(lead === undefined || lead === "id" || lead === "seq" ? [] : [leadCondition(lead, filter)]),
    // The plus keeps SQLite from using another index.
    ...others.map((field) => sql<boolean>`+${equals(field, filter)}`),
    ...(httpStatus === undefined ? [] : [sql<boolean>`+http_status = ${httpStatus}`]),
    ...(succeeded === undefined ? [] : [sql<boolean>`+succeeded = ${+succeeded}`]),
  ]);
}

/** Whether only failed requests fit. */
function isFailed({ succeeded, httpStatus }: RequestFilter): boolean {
  return succeeded === false || (httpStatus !== undefined && httpStatus >= 400);
}

function leadCondition(lead: NonNullable<Lead>, filter: RequestFilter): RawBuilder<boolean> {
  // A literal, not a parameter: else the index of failed requests would not be used.
  return lead === "failed" ? sql<boolean>`succeeded = 0` : equals(lead, filter);
}

function equals(field: IndexedField, filter: RequestFilter): RawBuilder<boolean> {
  const column = sql.ref(INDEXED[field]);
  const wanted = filter[field];
  if (wanted === undefined) return sql<boolean>`true`;
  if (typeof wanted === "string") return sql<boolean>`${column} = ${wanted}`;
  return sql<boolean>`${column} in (${sql.join(wanted)})`;
}

function timeConditions({ from, until }: RequestFilter, isPlain = false): RawBuilder<boolean>[] {
  const time = isPlain ? sql`+started_at` : sql`started_at`;
  return [
    ...(from === undefined ? [] : [sql<boolean>`${time} >= ${from}`]),
    ...(until === undefined ? [] : [sql<boolean>`${time} < ${until}`]),
  ];
}

/** What the index itself tells of the conditions besides its own. */
function facetConditions(filter: RequestFilter, lead: Lead | "id" | "seq"): RawBuilder<boolean>[] {
  const { model, clientIp, client, requestType, httpStatus } = filter;
  const wanted: Facets = {
    ...{ model, clientIp, client, requestType, httpStatus, endpointId: one(filter.endpointId) },
    ...{ apiKeyId: one(filter.apiKeyId), userId: one(filter.userId) },
    succeeded: isFailed(filter) ? false : filter.succeeded,
  };
  if (lead !== undefined) delete wanted[lead as keyof Facets];
  if (lead === "failed") delete wanted.succeeded;
  const { mask, bits } = facetMask(wanted);
  if (mask === 0) return [];
  return [sql<boolean>`(facets is null or facets & ${mask} = ${bits})`];
}

function one(ids: string | readonly string[] | undefined): string | undefined {
  return typeof ids === "string" || ids === undefined ? ids : undefined;
}

function countOf(lead: Lead, filter: RequestFilter): RawBuilder<unknown> {
  const condition = leadCondition(lead ?? "failed", filter);
  const conditions = sql.join([condition, ...timeConditions(filter)], sql` and `);
  const rows = sql`select 1 from requests where ${conditions} limit ${COUNTED_MAX}`;
  return sql`(select count(*) from (${rows}))`;
}
