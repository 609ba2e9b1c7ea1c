/** The tables of the state as Kysely sees them; migrations.ts creates them. */

export interface StateSchema {
  endpoints: EndpointsTable;
  endpoint_models: EndpointModelsTable;
  enrolment_tokens: EnrolmentTokensTable;
  node_keys: NodeKeysTable;
  imported_models: ImportedModelsTable;
  registered_models: RegisteredModelsTable;
  model_aliases: ModelAliasesTable;
  hub_cache: HubCacheTable;
  users: UsersTable;
  api_keys: ApiKeysTable;
  sessions: SessionsTable;
  limit_counts: LimitCountsTable;
  model_prices: PriceRow;
  invitations: InvitationsTable;
  imports: ImportsTable;
}

export interface EndpointsTable {
  id: string;
  name: string;
  /** As the operator wrote it. */
  base_url: string;
  /** The same, normalised; unique. */
  url_key: string;
  /** Sealed with `secret.key`. */
  api_key: Uint8Array | null;
  /** `api`, `config` or `node`. */
  source: string;
  node_id: string | null;
  type: string | null;
  status: string;
  /** Null: the setting holds; likewise below. */
  own_interval_ms: number | null;
  own_timeout_ms: number | null;
  latency_ms: number | null;
  inference_latency_ms: number | null;
  inference_measured_at: number | null;
  last_seen_at: number | null;
  last_error: string | null;
  error_count: number;
  registered_at: number;
  notes: string | null;
  /** JSON list of strings. */
  capabilities: string;
  slots: number | null;
  /** 1: it gets no further requests. */
  draining: number;
  given_models: string | null;
  tls_fingerprint: string | null;
  /** JSON. */
  device_info: string | null;
  model_count: number;
  models_synced_at: number | null;
  /** Of the last list of models; the same list again changes nothing. */
  models_hash: string | null;
  total_requests: number;
  succeeded_requests: number;
  failed_requests: number;
}

export interface EndpointModelsTable {
  endpoint_id: string;
  model_id: string;
  /** JSON list of strings. */
  capabilities: string | null;
  /** JSON list of strings. */
  supported_apis: string;
  max_tokens: number | null;
  canonical_name: string | null;
  owned_by: string | null;
  created_at: number | null;
}

interface EnrolmentTokensTable {
  id: string;
  token_hash: string;
  purpose: string;
  note: string | null;
  created_at: number;
  expires_at: number;
  uses_max: number | null;
  uses: number;
  revoked_at: number | null;
}

interface NodeKeysTable {
  node_id: string;
  key_hash: string;
  token_id: string | null;
  created_at: number;
}

interface ImportedModelsTable {
  name: string;
  repo: string | null;
  filename: string | null;
  source: string | null;
  description: string | null;
  chat_template: string | null;
  size_bytes: number | null;
  /** JSON list of strings. */
  tags: string;
}

export interface RegisteredModelsTable {
  /** `hf/{org}/{repo}` or `hf/{org}/{repo}/{filename}`. */
  id: string;
  repo: string;
  filename: string | null;
  /** A commit; null until the hub was asked. */
  revision: string | null;
  display_name: string | null;
  /** The hub's. */
  chat_template: string | null;
  /** An operator's; it overrides the hub's and that of the weights. */
  own_template: string | null;
  replicas: number | null;
  /** JSON list of names; null: all nodes. */
  nodes: string | null;
  /** JSON: how it runs; null: as nodes are set up. */
  settings: string | null;
  /** JSON: what the hub says of the model. */
  content: string;
  registered_at: number;
  updated_at: number;
}

interface ModelAliasesTable {
  alias: string;
  model_id: string;
}

interface HubCacheTable {
  key: string;
  /** JSON. */
  body: string;
  fetched_at: number;
}

export interface ImportsTable {
  file: string;
  content_hash: string;
  imported_at: number;
}

export interface UsersTable {
  id: string;
  name: string;
  password_hash: string | null;
  role: string;
  /** JSON, as `wire/limits.ts` has it; likewise below. */
  limits: string;
  must_change_password: number;
  oidc_subject: string | null;
  created_at: number;
  last_login_at: number | null;
  disabled_at: number | null;
}

export interface ApiKeysTable {
  id: string;
  user_id: string;
  name: string;
  key_hash: string;
  prefix: string;
  /** JSON list of strings. */
  permissions: string;
  /** JSON list of patterns; null: all. */
  models: string | null;
  limits: string;
  notes: string | null;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
}

export interface SessionsTable {
  id: string;
  token_hash: string;
  user_id: string;
  address: string | null;
  user_agent: string | null;
  created_at: number;
  last_seen_at: number;
  expires_at: number;
}

export interface InvitationsTable {
  id: string;
  code_hash: string;
  role: string;
  note: string | null;
  created_by: string | null;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  used_by: string | null;
  revoked_at: number | null;
}

interface LimitCountsTable {
  /** `key` or `user`, a blank, and the id. */
  subject: string;
  /** JSON. */
  state: string;
}

/** What a million tokens cost, in the operator's currency. */
export interface PriceRow {
  /** Names of models, `*` for any characters; unique. */
  pattern: string;
  input: number;
  output: number;
  /** Of the prompt's tokens those that were in the cache; null: as `input`. */
  cached: number | null;
}
