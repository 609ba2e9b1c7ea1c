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
  {
    // The indexes end with `facets`: a second filter seldom looks at a row that it does not take.
    name: "whose requests, by which program, what they cost and who was tried",
    up: `
      ALTER TABLE requests ADD COLUMN user_id TEXT;
      ALTER TABLE requests ADD COLUMN client TEXT;
      ALTER TABLE requests ADD COLUMN cost_micros INTEGER;
      ALTER TABLE requests ADD COLUMN attempts TEXT;
      ALTER TABLE requests ADD COLUMN facets INTEGER;
      DROP INDEX requests_by_time;
      DROP INDEX requests_by_model;
      DROP INDEX requests_by_endpoint;
      DROP INDEX requests_by_key;
      DROP INDEX requests_by_client;
      DROP INDEX requests_failed;
      CREATE INDEX requests_by_time ON requests (started_at, facets);
      CREATE INDEX requests_by_model ON requests (model, started_at, facets);
      CREATE INDEX requests_by_type ON requests (request_type, started_at, facets);
      CREATE INDEX requests_by_endpoint ON requests (endpoint_id, started_at, facets)
        WHERE endpoint_id IS NOT NULL;
      CREATE INDEX requests_by_key ON requests (api_key_id, started_at, facets)
        WHERE api_key_id IS NOT NULL;
      CREATE INDEX requests_by_user ON requests (user_id, started_at, facets)
        WHERE user_id IS NOT NULL;
      CREATE INDEX requests_by_address ON requests (client_ip, started_at, facets)
        WHERE client_ip IS NOT NULL;
      CREATE INDEX requests_by_client ON requests (client, started_at, facets)
        WHERE client IS NOT NULL;
      CREATE INDEX requests_failed ON requests (started_at, facets) WHERE succeeded = 0;

      CREATE TABLE names (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (kind, id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX names_by_name ON names (kind, name);
      INSERT INTO names (kind, id, name)
        SELECT 'endpoint', endpoint_id, endpoint_name FROM requests
        WHERE endpoint_id IS NOT NULL AND endpoint_name IS NOT NULL
        GROUP BY endpoint_id HAVING seq = max(seq);
    `,
  },
  {
    name: "usage by hour and user, with latencies and cost",
    up: `
      ${usageTable("usage_hours", "hour INTEGER")}
      ${usageTable("usage_days", "day TEXT")}
      INSERT INTO usage_days (day, endpoint_id, model, api_key_id, user_id, request_type, requests,
          succeeded, failed, input_tokens, output_tokens, cached_tokens, duration_ms)
        SELECT day, endpoint_id, model, api_key_id, '', request_type, requests,
          succeeded, failed, input_tokens, output_tokens, cached_tokens, duration_ms
        FROM usage;
      DROP TABLE usage;
    `,
  },
];

/** A table of usage of the last migration; its two histograms have 36 buckets each. */
function usageTable(name: string, period: string): string {
  const buckets = (of: string) =>
    Array.from({ length: 36 }, (_, i) => `${of}_${i} INTEGER NOT NULL DEFAULT 0,`).join(" ");
  return `
    CREATE TABLE ${name} (
      ${period} NOT NULL,
      endpoint_id TEXT NOT NULL,
      model TEXT NOT NULL,
      api_key_id TEXT NOT NULL,
      user_id TEXT NOT NULL,
      request_type TEXT NOT NULL,
      requests INTEGER NOT NULL,
      succeeded INTEGER NOT NULL,
      failed INTEGER NOT NULL,
      input_tokens INTEGER NOT NULL,
      output_tokens INTEGER NOT NULL,
      cached_tokens INTEGER NOT NULL,
      duration_ms REAL NOT NULL,
      cost_micros INTEGER NOT NULL DEFAULT 0,
      ${buckets("first_byte")}
      ${buckets("duration")}
      PRIMARY KEY (${period.split(" ")[0]}, endpoint_id, model, api_key_id, user_id, request_type)
    ) STRICT, WITHOUT ROWID;`;
}
