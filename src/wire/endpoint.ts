import { z } from "zod";
import { parseFingerprint } from "../lib/fingerprint.ts";
import { HostView } from "./host.ts";
import { LoadedState } from "./loadedstate.ts";

/** The kinds of server behind an endpoint; the balancer detects it, no client sets it. */
export const ENDPOINT_KINDS = [
  ...(["llmlb", "llama_server", "ollama", "vllm", "sglang"] as const),
  ...(["lm_studio", "openai_compatible"] as const),
] as const;
export const EndpointKind = z.enum(ENDPOINT_KINDS);
export type EndpointKind = z.infer<typeof EndpointKind>;

/**
 * `pending`: never reached. `online`: in use. `error`: in use, but the last check failed.
 * `offline`: not used until a check succeeds.
 */
export const EndpointStatus = z.enum(["pending", "online", "error", "offline"]);
export type EndpointStatus = z.infer<typeof EndpointStatus>;

/** What requests an endpoint may be registered for. */
export const EndpointCapability = z.enum([
  ...(["chat_completion", "embeddings", "image_generation"] as const),
  ...(["audio_transcription", "audio_speech"] as const),
]);

const LIMITS = { name: 100, notes: 2000, key: 4096, url: 2048, slots: 4096, models: 1000 };

/** What a terminal takes for something else, and what makes a name look like another one. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const Name = z
  .string("`name` must be a text")
  .trim()
  .min(1, "`name` must not be blank")
  .max(LIMITS.name, `\`name\` must have at most ${LIMITS.name} characters`)
  .refine((name) => !CONTROL.test(name), "`name` must not have control characters");

const BaseUrl = z
  .string("`base_url` must be a text")
  .trim()
  .max(LIMITS.url, `\`base_url\` must have at most ${LIMITS.url} characters`)
  .refine(isBaseUrl, "`base_url` must be a URL such as http://gpu1:8080, without ? and #");

const ApiKey = z
  .string("`api_key` must be a text or null")
  .max(LIMITS.key, "`api_key` is too long")
  .regex(/^[\x21-\x7e]+$/, "`api_key` must have printable ASCII characters, and at least one");

const Seconds = (name: string, min: number, max: number) => {
  const expected = `\`${name}\` must be a whole number from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
};

const Slots = z
  .int("`slots` must be a whole number or null")
  .min(1, "`slots` must be at least 1")
  .max(LIMITS.slots, `\`slots\` must be at most ${LIMITS.slots}`);

const FINGERPRINT_EXPECTED =
  "`tls_fingerprint` must be the SHA-256 fingerprint of a certificate (sha256:…) or null";

/** Of a certificate: `sha256:` and 64 digits, or the digits as OpenSSL shows them. */
const Fingerprint = z.string(FINGERPRINT_EXPECTED).transform((text, ctx) => {
  const read = parseFingerprint(text);
  if (read !== undefined) return read;
  ctx.addIssue(FINGERPRINT_EXPECTED);
  return z.NEVER;
});

const ModelName = z.string().trim().min(1).max(200);

const fields = {
  tls_fingerprint: Fingerprint.nullable(),
  api_key: ApiKey.nullable(),
  health_check_interval_secs: Seconds("health_check_interval_secs", 10, 300).nullable(),
  inference_timeout_secs: Seconds("inference_timeout_secs", 10, 600).nullable(),
  notes: z
    .string("`notes` must be a text or null")
    .max(LIMITS.notes, `\`notes\` must have at most ${LIMITS.notes} characters`)
    .nullable(),
  capabilities: z
    .array(EndpointCapability, "`capabilities` must be a list")
    .min(1, "`capabilities` must not be empty")
    .transform((list) => [...new Set(list)])
    .nullable(),
  slots: Slots.nullable(),
  models: z
    .array(ModelName, "`models` must be a list of names or null")
    .min(1, "`models` must not be empty")
    .max(LIMITS.models, `\`models\` must have at most ${LIMITS.models} names`)
    .transform((list) => [...new Set(list)])
    .nullable(),
};

/** The body of `POST /api/endpoints`. A field with null counts as left out. */
export const NewEndpointBody = z
  .strictObject({ name: Name, base_url: BaseUrl, ...fields })
  .partial({
    ...{ api_key: true, health_check_interval_secs: true, inference_timeout_secs: true },
    ...{ notes: true, capabilities: true, slots: true, models: true, tls_fingerprint: true },
  });
export type NewEndpointBody = z.infer<typeof NewEndpointBody>;

/** The body of `PUT` and `PATCH /api/endpoints/{id}`: null clears a field. */
export const EndpointChangeBody = z
  .strictObject({ name: Name, base_url: BaseUrl, ...fields })
  .partial();
export type EndpointChangeBody = z.infer<typeof EndpointChangeBody>;

/** The machine of an endpoint, as it reported it. */
export const DeviceInfoView = z.object({
  device_type: z.enum(["cpu", "gpu"]),
  gpu_devices: z.array(
    z.object({
      name: z.string(),
      total_memory_bytes: z.number(),
      used_memory_bytes: z.number(),
    }),
  ),
});

/** A model as one endpoint lists it. */
export const EndpointModelView = z.object({
  model_id: z.string(),
  capabilities: z.array(z.string()).nullable(),
  max_tokens: z.number().optional(),
  last_checked: z.string().nullable(),
  /** Whether it is loaded there; null: the endpoint does not tell. */
  state: LoadedState.default(null),
});
export type EndpointModelView = z.infer<typeof EndpointModelView>;

/** An endpoint in the API's answers, without its key. Times are RFC 3339. */
export const EndpointView = z.object({
  id: z.string(),
  name: z.string(),
  base_url: z.string(),
  /** Who registered it: only the settings change `config`; `local` is a balancer's own node. */
  source: z.enum(["api", "config", "node", "local"]),
  /** Null until it was reached once. */
  kind: EndpointKind.nullable(),
  status: EndpointStatus,
  /** It gets no further requests until it is undrained; those it works on go on. */
  draining: z.boolean().default(false),
  /** Streams that went on elsewhere because it is drained. */
  moved_streams: z.number().default(0),
  has_api_key: z.boolean(),
  /** It has a key that `secret.key` does not open, so it is asked without one. */
  api_key_unreadable: z.boolean().optional(),
  health_check_interval_secs: z.number(),
  inference_timeout_secs: z.number(),
  /** Latency of the last health check. */
  latency_ms: z.number().nullable(),
  /** Moving average of the time to the first byte of requests; null is unmeasured. */
  inference_latency_ms: z.number().nullable(),
  last_seen: z.string().nullable(),
  last_error: z.string().nullable(),
  /** Why the last request failed that the endpoint is to blame for; null if it answers them. */
  last_request_error: z.string().nullish(),
  /** Failed checks since the last one that succeeded. */
  error_count: z.number(),
  registered_at: z.string(),
  notes: z.string().nullable(),
  capabilities: z.array(z.string()),
  /** As set; null: what the endpoint reports, else a default. */
  slots: z.number().nullable(),
  /** Its models by the operator's word, where it lists none. */
  given_models: z.array(z.string()).nullable().default(null),
  /** Of the only certificate that is accepted from it; null: any valid one. */
  tls_fingerprint: z.string().nullable().default(null),
  /** The most requests that it gets at once. */
  slots_in_effect: z.number(),
  /** Requests of this balancer that it answers now. */
  active_requests: z.number(),
  circuit: z.enum(["closed", "open", "half_open", "probing"]),
  device_info: DeviceInfoView.nullable(),
  /** What it has in its memory. */
  host: HostView.default({ memories: [], models: [], more: 0 }),
  /** Only of a node that lends its devices to engines of other nodes. */
  lending: z
    .object({ loans: z.number(), loans_max: z.number(), free_memory_bytes: z.number() })
    .optional(),
  model_count: z.number(),
  /** Why not all models of its list are used; null if they are. */
  models_limited: z.string().nullish(),
  total_requests: z.number(),
  successful_requests: z.number(),
  failed_requests: z.number(),
});
export type EndpointView = z.infer<typeof EndpointView>;

/** `GET /api/endpoints/{id}`. */
export const EndpointDetail = EndpointView.extend({ models: z.array(EndpointModelView) });
export type EndpointDetail = z.infer<typeof EndpointDetail>;

/** `GET /api/endpoints`. */
export const EndpointList = z.object({ endpoints: z.array(EndpointView), total: z.number() });
export type EndpointList = z.infer<typeof EndpointList>;

/** `POST /api/endpoints/{id}/test`. */
export const EndpointTest = z.object({
  success: z.boolean(),
  /** Null when nothing answered. */
  latency_ms: z.number().nullable(),
  error: z.string().nullable(),
  models_found: z.array(z.string()).nullable(),
  endpoint_info: z.object({ model_count: z.number() }).optional(),
});
export type EndpointTest = z.infer<typeof EndpointTest>;

/** `POST /api/endpoints/{id}/sync`. */
export const EndpointSync = z.object({
  synced_models: z.array(EndpointModelView),
  added: z.number(),
  removed: z.number(),
  updated: z.number(),
});
export type EndpointSync = z.infer<typeof EndpointSync>;

/** One health check in `GET /api/endpoints/{id}/checks`. */
export const EndpointCheckView = z.object({
  checked_at: z.string(),
  success: z.boolean(),
  latency_ms: z.number().nullable(),
  error_message: z.string().nullable(),
  status_before: EndpointStatus,
  status_after: EndpointStatus,
});
export type EndpointCheckView = z.infer<typeof EndpointCheckView>;

function isBaseUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.hostname !== "" && url.search === "" && url.hash === "";
}
