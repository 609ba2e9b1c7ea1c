import { z } from "zod";
import { EndpointView } from "./endpoint.ts";
import { EndpointLoad, HostView } from "./host.ts";

/** The events of `GET /api/events`. Times are RFC 3339. */

/** What changes of an endpoint while it works; the rest is in `GET /api/endpoints`. */
export const EndpointState = EndpointView.pick({
  ...({
    id: true,
    name: true,
    status: true,
    active_requests: true,
    slots_in_effect: true,
  } as const),
  ...({ latency_ms: true, inference_latency_ms: true, last_error: true } as const),
  ...({ last_request_error: true, error_count: true, circuit: true, model_count: true } as const),
  ...({ draining: true, moved_streams: true } as const),
});
export type EndpointState = z.infer<typeof EndpointState>;

/** A request that runs, or has ended. */
export const LiveRequest = z.object({
  request_id: z.string(),
  request_type: z.string(),
  model: z.string(),
  api_key_name: z.string().nullable(),
  user_name: z.string().nullable(),
  streamed: z.boolean(),
  started_at: z.string(),
});
export type LiveRequest = z.infer<typeof LiveRequest>;

const EndedRequest = LiveRequest.extend({
  endpoint_id: z.string().nullable(),
  endpoint_name: z.string().nullable(),
  /** The status that the client got; null if it left before. */
  http_status: z.number().nullable(),
  /** The code of the error; null for a success. */
  error: z.string().nullable(),
  queue_ms: z.number().nullable(),
  first_token_ms: z.number().nullable(),
  duration_ms: z.number(),
  output_tokens: z.number().nullable(),
});
export type EndedRequest = z.infer<typeof EndedRequest>;

/** How far a node is with fetching a model. */
const PullStep = z.object({
  model: z.string(),
  endpoint_name: z.string(),
  /** `waiting`, `pulling`, `ready`, `failed`, `unusable`, as in the progress of a model. */
  state: z.string(),
  bytes: z.number(),
  total_bytes: z.number(),
  rate_bytes_per_s: z.number(),
  eta_s: z.number().nullable(),
  error: z.string().nullable(),
});
export type PullStep = z.infer<typeof PullStep>;

/** What happened in a span of time. */
export const MetricsPoint = z.object({
  /** When the span began. */
  at: z.string(),
  requests_per_s: z.number(),
  /** Output tokens of requests that have ended, over the time that they took. */
  tokens_per_s: z.number(),
  errors_per_s: z.number(),
  /** Streams that broke and went on at another endpoint, in this process. */
  continued_per_s: z.number().default(0),
  /** Half and 95 of a hundred streams began within so long; null without any. */
  first_token_p50_ms: z.number().nullable(),
  first_token_p95_ms: z.number().nullable(),
});
export type MetricsPoint = z.infer<typeof MetricsPoint>;

/** The last seconds, and the moment. */
const LiveMetrics = MetricsPoint.extend({
  /** Requests that wait for a slot, and that have one. */
  queue_waiting: z.number(),
  active_requests: z.number(),
});
export type LiveMetrics = z.infer<typeof LiveMetrics>;

export const LiveEvent = z.discriminatedUnion("type", [
  /** The first one; unless `resumed`, what happened before is not told: ask for the lists. */
  z.object({ type: z.literal("hello"), version: z.string(), resumed: z.boolean() }),
  z.object({
    type: z.literal("endpoints"),
    changed: z.array(EndpointState),
    removed: z.array(z.string()),
  }),
  /** Endpoints that have something else in their memory than before. */
  z.object({
    type: z.literal("hosts"),
    changed: z.array(z.object({ id: z.string(), host: HostView })),
  }),
  /** Twice in a second, if it has changed: who works on what, and who waits. */
  z.object({
    type: z.literal("load"),
    /** Those whose running requests are others than before. */
    changed: z.array(EndpointLoad),
    /** Requests that wait for a slot, by model: all of them; absent: as before. */
    queues: z.record(z.string(), z.number()).optional(),
  }),
  /** Other models are registered or served than before, or what is known of one has changed. */
  z.object({ type: z.literal("models") }),
  /** Other models are loaded at endpoints than before. */
  z.object({ type: z.literal("loaded") }),
  z.object({ type: z.literal("pulls"), pulls: z.array(PullStep) }),
  z.object({ type: z.literal("request_began"), request: LiveRequest }),
  z.object({ type: z.literal("request_ended"), request: EndedRequest }),
  /** Each second in which it differs from the last one. */
  z.object({ type: z.literal("metrics"), metrics: LiveMetrics }),
]);
export type LiveEvent = z.infer<typeof LiveEvent>;

/** How far back `GET /api/metrics/recent` goes, by `span`. */
export const RecentSpan = z.enum(["hour", "day"], "it must be hour or day");
export type RecentSpan = z.infer<typeof RecentSpan>;

/** `GET /api/metrics/recent`: oldest first; spans without requests are left out. */
export const RecentMetrics = z.object({
  step_s: z.number(),
  points: z.array(MetricsPoint),
});
export type RecentMetrics = z.infer<typeof RecentMetrics>;
