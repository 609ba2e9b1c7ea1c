import type { ImportsTable } from "../state/schema.ts";

/** The tables of the history as Kysely sees them; migrations.ts creates them. */

export interface HistorySchema {
  requests: RequestsTable;
  usage: UsageTable;
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
  client_ip: string | null;
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
  request_body: string | null;
  response_body: string | null;
}

interface UsageTable {
  /** `YYYY-MM-DD`, local time of the balancer. */
  day: string;
  /** Empty when no endpoint was reached; likewise `model` and `api_key_id`. */
  endpoint_id: string;
  model: string;
  api_key_id: string;
  request_type: string;
  requests: number;
  succeeded: number;
  failed: number;
  input_tokens: number;
  output_tokens: number;
  cached_tokens: number;
  duration_ms: number;
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
