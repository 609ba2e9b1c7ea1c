import type { Generated } from "kysely";
import type { ImportsTable } from "../state/schema.ts";

/** The tables of the history as Kysely sees them; migrations.ts creates them. */

export interface HistorySchema {
  requests: RequestsTable;
  usage_hours: UsageTable & {
    /** Its start, in unix ms. */
    hour: number;
  };
  usage_days: UsageTable & {
    /** `YYYY-MM-DD`, local time of the balancer. */
    day: string;
  };
  names: NamesTable;
  checks: ChecksTable;
  responses: ResponsesTable;
  imports: ImportsTable;
}

export interface RequestsTable {
  seq: number;
  id: string;
  request_id: string;
  request_type: string;
  model: string;
  endpoint_id: string | null;
  endpoint_name: string | null;
  endpoint_url: string | null;
  api_key_id: string | null;
  /** The key's owner, or whose session it is. */
  user_id: string | null;
  client_ip: string | null;
  /** The program that sent it. */
  client: string | null;
  started_at: number;
  completed_at: number;
  streamed: number;
  retries: number;
  succeeded: number;
  http_status: number | null;
  error: string | null;
  queue_ms: number | null;
  first_byte_ms: number | null;
  duration_ms: number;
  input_tokens: number | null;
  output_tokens: number | null;
  cached_tokens: number | null;
  token_source: string | null;
  /** Millionths of the currency of the prices; null without a price. */
  cost_micros: number | null;
  /** JSON, see `RequestAttempt`; null for a single one. */
  attempts: string | null;
  /** See facets.ts; null for requests that an earlier program recorded. */
  facets: number | null;
  request_body: string | null;
  response_body: string | null;
}

/** Sums of the requests that have all of these in common. */
interface UsageTable extends BucketColumns {
  /** Empty when no endpoint was reached; likewise `model`, `api_key_id` and `user_id`. */
  endpoint_id: string;
  model: string;
  api_key_id: string;
  user_id: string;
  request_type: string;
  requests: number;
  succeeded: number;
  failed: number;
  input_tokens: number;
  output_tokens: number;
  cached_tokens: number;
  duration_ms: number;
  cost_micros: Generated<number>;
}

/** How many successful requests took how long, see latency.ts. */
type BucketColumns = Record<`${"first_byte" | "duration"}_${number}`, Generated<number>>;

/** What endpoints, keys and users were called last, also those that are gone. */
interface NamesTable {
  kind: "endpoint" | "key" | "user";
  id: string;
  name: string;
}

export interface ChecksTable {
  seq: number;
  endpoint_id: string;
  checked_at: number;
  succeeded: number;
  latency_ms: number | null;
  error: string | null;
  status_before: string;
  status_after: string;
}

interface ResponsesTable {
  seq: number;
  id: string;
  upstream_id: string;
  model: string;
  made_at: number;
}
