import type { Migration } from "../engine/store.ts";

/**
 * The schema of the history, in the SQL of `db/engine`. Times are unix ms, durations ms, booleans
 * 0 or 1. Append only.
 */
export const HISTORY_MIGRATIONS: readonly Migration[] = [
  {
    name: "requests, usage and checks",
    up: `
      CREATE TABLE requests (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        request_id TEXT NOT NULL,
        request_type TEXT NOT NULL,
        model TEXT NOT NULL,
        endpoint_id TEXT,
        endpoint_name TEXT,
        endpoint_url TEXT,
        api_key_id TEXT,
        client_ip TEXT,
        started_at INTEGER NOT NULL,
        completed_at INTEGER NOT NULL,
        streamed INTEGER NOT NULL,
        retries INTEGER NOT NULL,
        succeeded INTEGER NOT NULL,
        http_status INTEGER,
        error TEXT,
        queue_ms REAL,
        first_byte_ms REAL,
        duration_ms REAL NOT NULL,
        input_tokens INTEGER,
        output_tokens INTEGER,
        cached_tokens INTEGER,
        token_source TEXT
      ) STRICT;
      CREATE INDEX requests_by_time ON requests (started_at);
      CREATE INDEX requests_by_request ON requests (request_id);
      CREATE INDEX requests_by_model ON requests (model, started_at);
      CREATE INDEX requests_by_endpoint ON requests (endpoint_id, started_at);
      CREATE INDEX requests_by_key ON requests (api_key_id, started_at)
        WHERE api_key_id IS NOT NULL;
      CREATE INDEX requests_by_client ON requests (client_ip, started_at)
        WHERE client_ip IS NOT NULL;
      CREATE INDEX requests_failed ON requests (started_at) WHERE succeeded = 0;

      CREATE TABLE request_bodies (
        seq INTEGER PRIMARY KEY REFERENCES requests (seq) ON DELETE CASCADE,
        request_body TEXT,
        response_body TEXT
      ) STRICT;

      CREATE TABLE usage (
        day TEXT NOT NULL,
        endpoint_id TEXT NOT NULL,
        model TEXT NOT NULL,
        api_key_id TEXT NOT NULL,
        request_type TEXT NOT NULL,
        requests INTEGER NOT NULL,
        succeeded INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        duration_ms REAL NOT NULL,
        PRIMARY KEY (day, endpoint_id, model, api_key_id, request_type)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX usage_by_endpoint ON usage (endpoint_id, day);
      CREATE INDEX usage_by_model ON usage (model, day);

      CREATE TABLE checks (
        seq INTEGER PRIMARY KEY,
        endpoint_id TEXT NOT NULL,
        checked_at INTEGER NOT NULL,
        succeeded INTEGER NOT NULL,
        latency_ms REAL,
        error TEXT,
        status_before TEXT NOT NULL,
        status_after TEXT NOT NULL
      ) STRICT;
      CREATE INDEX checks_by_time ON checks (checked_at);
      CREATE INDEX checks_by_endpoint ON checks (endpoint_id, checked_at);

      CREATE TABLE imports (
        file TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        imported_at INTEGER NOT NULL,
        PRIMARY KEY (file, content_hash)
      ) STRICT;
    `,
  },
  {
    // A separate row for the bodies costs as much as the request's row itself.
    name: "bodies beside their request",
    up: `
      ALTER TABLE requests ADD COLUMN request_body TEXT;
      ALTER TABLE requests ADD COLUMN response_body TEXT;
      UPDATE requests SET (request_body, response_body) = (
        SELECT request_body, response_body FROM request_bodies
        WHERE request_bodies.seq = requests.seq
      );
      DROP TABLE request_bodies;
    `,
  },
  {
    name: "which upstream made which response",
    up: `
      CREATE TABLE responses (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        upstream_id TEXT NOT NULL,
        model TEXT NOT NULL,
        made_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX responses_by_time ON responses (made_at);
    `,
  },
];
