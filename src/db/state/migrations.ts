import type { Migration } from "../engine/store.ts";

/**
 * The schema of the state, in the SQL of `db/engine`. Times are unix ms, durations ms, booleans 0
 * or 1. Append only.
 */
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
    // Apart from the hub's template: only an operator's one overrides that of the weights.
    name: "chat templates that operators give",
    up: "ALTER TABLE registered_models ADD COLUMN own_template TEXT;",
  },
  {
    name: "models of endpoints that list none",
    up: "ALTER TABLE endpoints ADD COLUMN given_models TEXT;",
  },
  {
    // Rows had the settings of the day they were made on. What is beyond what can be asked for (10
    // to 300 s, 10 to 600 s), or the program's own default, is no time of the endpoint's own. The
    // older default of 120 s stays: it cannot be told from a limit that somebody asked for.
    name: "times that endpoints have of their own",
    up: `
      ALTER TABLE endpoints ADD COLUMN own_interval_ms INTEGER;
      ALTER TABLE endpoints ADD COLUMN own_timeout_ms INTEGER;
      UPDATE endpoints SET own_interval_ms = health_interval_ms
        WHERE source <> 'config' AND health_interval_ms BETWEEN 10000 AND 300000
          AND health_interval_ms <> 30000;
      UPDATE endpoints SET own_timeout_ms = inference_timeout_ms
        WHERE source = 'node' OR source <> 'config'
          AND inference_timeout_ms BETWEEN 10000 AND 600000 AND inference_timeout_ms <> 600000;
      ALTER TABLE endpoints DROP COLUMN health_interval_ms;
      ALTER TABLE endpoints DROP COLUMN inference_timeout_ms;
    `,
  },
  {
    name: "users, keys, sessions and invitations",
    up: `
      CREATE TABLE users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        password_hash TEXT,
        role TEXT NOT NULL,
        limits TEXT NOT NULL,
        must_change_password INTEGER NOT NULL,
        oidc_subject TEXT UNIQUE,
        created_at INTEGER NOT NULL,
        last_login_at INTEGER
      ) STRICT;

      CREATE TABLE api_keys (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        key_hash TEXT NOT NULL UNIQUE,
        prefix TEXT NOT NULL,
        permissions TEXT NOT NULL,
        models TEXT,
        limits TEXT NOT NULL,
        notes TEXT,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER,
        last_used_at INTEGER,
        UNIQUE (user_id, name)
      ) STRICT;

      CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        token_hash TEXT NOT NULL UNIQUE,
        csrf_hash TEXT NOT NULL,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        address TEXT,
        user_agent TEXT,
        created_at INTEGER NOT NULL,
        last_seen_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX sessions_by_user ON sessions (user_id);

      CREATE TABLE invitations (
        id TEXT PRIMARY KEY,
        code_hash TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        note TEXT,
        created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        used_at INTEGER,
        used_by TEXT REFERENCES users (id) ON DELETE SET NULL,
        revoked_at INTEGER
      ) STRICT;
    `,
  },
  {
    name: "certificates of endpoints",
    up: "ALTER TABLE endpoints ADD COLUMN tls_fingerprint TEXT;",
  },
  {
    name: "sessions whose CSRF token follows from the session's own",
    up: "ALTER TABLE sessions DROP COLUMN csrf_hash;",
  },
  {
    name: "what is used of limits, and prices",
    up: `
      CREATE TABLE limit_counts (
        subject TEXT PRIMARY KEY,
        state TEXT NOT NULL
      ) STRICT;

      CREATE TABLE model_prices (
        pattern TEXT PRIMARY KEY,
        input REAL NOT NULL,
        output REAL NOT NULL,
        cached REAL
      ) STRICT;
    `,
  },
  {
    name: "how registered models run",
    up: "ALTER TABLE registered_models ADD COLUMN settings TEXT;",
  },
  {
    name: "users who are shut out",
    up: "ALTER TABLE users ADD COLUMN disabled_at INTEGER;",
  },
  {
    name: "endpoints that are drained",
    up: "ALTER TABLE endpoints ADD COLUMN draining INTEGER NOT NULL DEFAULT 0;",
  },
];
