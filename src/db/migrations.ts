import type { Migration } from "./engine/migrate.ts";

/** The schema of `lb.db`. Times are unix ms, durations ms, booleans 0 or 1. Append only. */
export const STATE_MIGRATIONS: readonly Migration[] = [
  {
    name: "endpoints and enrolment",
    up: `
      CREATE TABLE endpoints (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        base_url TEXT NOT NULL,
        url_key TEXT NOT NULL UNIQUE,
        api_key BLOB,
        source TEXT NOT NULL DEFAULT 'api',
        node_id TEXT UNIQUE,
        type TEXT,
        status TEXT NOT NULL DEFAULT 'pending',
        health_interval_ms INTEGER NOT NULL,
        inference_timeout_ms INTEGER NOT NULL,
        latency_ms REAL,
        inference_latency_ms REAL,
        inference_measured_at INTEGER,
        last_seen_at INTEGER,
        last_error TEXT,
        error_count INTEGER NOT NULL DEFAULT 0,
        registered_at INTEGER NOT NULL,
        notes TEXT,
        capabilities TEXT NOT NULL,
        slots INTEGER,
        device_info TEXT,
        model_count INTEGER NOT NULL DEFAULT 0,
        models_synced_at INTEGER,
        models_hash TEXT,
        total_requests INTEGER NOT NULL DEFAULT 0,
        succeeded_requests INTEGER NOT NULL DEFAULT 0,
        failed_requests INTEGER NOT NULL DEFAULT 0
      ) STRICT;

      CREATE TABLE endpoint_models (
        endpoint_id TEXT NOT NULL REFERENCES endpoints (id) ON DELETE CASCADE,
        model_id TEXT NOT NULL,
        capabilities TEXT,
        supported_apis TEXT NOT NULL,
        max_tokens INTEGER,
        canonical_name TEXT,
        owned_by TEXT,
        created_at INTEGER,
        PRIMARY KEY (endpoint_id, model_id)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE enrolment_tokens (
        id TEXT PRIMARY KEY,
        token_hash TEXT NOT NULL UNIQUE,
        purpose TEXT NOT NULL,
        note TEXT,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        uses_max INTEGER,
        uses INTEGER NOT NULL DEFAULT 0,
        revoked_at INTEGER
      ) STRICT;

      CREATE TABLE node_keys (
        node_id TEXT PRIMARY KEY,
        key_hash TEXT NOT NULL,
        token_id TEXT,
        created_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE imported_models (
        name TEXT PRIMARY KEY,
        repo TEXT,
        filename TEXT,
        source TEXT,
        description TEXT,
        chat_template TEXT,
        size_bytes INTEGER,
        tags TEXT NOT NULL
      ) STRICT;

      CREATE TABLE imports (
        file TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        imported_at INTEGER NOT NULL,
        PRIMARY KEY (file, content_hash)
      ) STRICT;
    `,
  },
  {
    name: "registered models",
    up: `
      CREATE TABLE registered_models (
        id TEXT PRIMARY KEY,
        repo TEXT NOT NULL,
        filename TEXT,
        revision TEXT,
        display_name TEXT,
        chat_template TEXT,
        replicas INTEGER,
        nodes TEXT,
        content TEXT NOT NULL,
        registered_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE model_aliases (
        alias TEXT PRIMARY KEY COLLATE NOCASE,
        model_id TEXT NOT NULL REFERENCES registered_models (id) ON DELETE CASCADE
      ) STRICT;
      CREATE INDEX model_aliases_by_model ON model_aliases (model_id);

      CREATE TABLE hub_cache (
        key TEXT PRIMARY KEY,
        body TEXT NOT NULL,
        fetched_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX hub_cache_by_time ON hub_cache (fetched_at);
    `,
  },
  {
    // Beside that of the hub, which must not go before what the weights themselves say.
    name: "chat templates that operators give",
    up: "ALTER TABLE registered_models ADD COLUMN own_template TEXT;",
  },
];

/** The schema of `history.db`. Append only. */
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
    // A row of its own for the bodies costs as much again as the request's.
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
];
