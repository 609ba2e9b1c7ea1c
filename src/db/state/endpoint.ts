import { z } from "zod";
import type { EndpointKind, EndpointStatus } from "../../wire/endpoint.ts";

/** What an endpoint says about its machine (`GET /api/system`). */
export const DeviceInfo = z.object({
  device_type: z.enum(["cpu", "gpu"]).catch("cpu"),
  gpu_devices: z
    .array(
      z.object({
        name: z.string(),
        total_memory_bytes: z.number().nonnegative().catch(0),
        used_memory_bytes: z.number().nonnegative().catch(0),
      }),
    )
    .catch([]),
});
export type DeviceInfo = z.infer<typeof DeviceInfo>;

export const ENDPOINT_ORIGINS = ["api", "config", "node"] as const;
/** Who registered an endpoint: an operator, the configuration, or a node itself. */
type EndpointOrigin = (typeof ENDPOINT_ORIGINS)[number];

/** The part of an endpoint that an operator or a node sets. */
export interface EndpointFields {
  /** Unique; case matters. */
  name: string;
  /** Unique once normalised: see `parseAddress`. Credentials in it are dropped. */
  baseUrl: string;
  /** Kept encrypted. */
  apiKey: string | null;
  source: EndpointOrigin;
  /** The enrolled node behind it. Unique. */
  nodeId: string | null;
  /** Null until it was detected. */
  type: EndpointKind | null;
  /** Null: nobody asked for a time of its own, so the setting of the day holds; likewise below. */
  healthIntervalMs: number | null;
  inferenceTimeoutMs: number | null;
  notes: string | null;
  capabilities: string[];
  /** How many requests it works on at once; null is unknown. */
  slots: number | null;
  /** It gets no further requests. */
  draining: boolean;
  /** The models of one that lists none, by the operator's word; null: it lists them. */
  givenModels: string[] | null;
  /** Of the only certificate that is accepted; null: any valid one. */
  fingerprint: string | null;
  deviceInfo: DeviceInfo | null;
}

/** An endpoint as it is stored. Its API key is not part of it: see `Endpoints.apiKeys`. */
export interface EndpointRow extends Omit<EndpointFields, "apiKey"> {
  id: string;
  status: EndpointStatus;
  hasApiKey: boolean;
  /** Duration of the last health check; null when it failed. */
  latencyMs: number | null;
  /** Moving average over inference requests; null is unmeasured. */
  inferenceLatencyMs: number | null;
  /** Unix ms, as all times below. */
  inferenceMeasuredAt: number | null;
  lastSeenAt: number | null;
  lastError: string | null;
  /** Failed health checks in a row. */
  errorCount: number;
  registeredAt: number;
  modelCount: number;
  modelsSyncedAt: number | null;
  totalRequests: number;
  succeededRequests: number;
  failedRequests: number;
}

/** A new endpoint; all but name and address have defaults. */
export type NewEndpoint = Pick<EndpointFields, "name" | "baseUrl"> &
  Partial<EndpointFields> & {
    /** Default: a new UUID. */
    id?: string;
    /** Unix ms. Default: now. */
    registeredAt?: number;
  };

/** The state of an endpoint after a health check. */
export interface EndpointHealth {
  status: EndpointStatus;
  latencyMs: number | null;
  /** Unix ms; null keeps the stored time. */
  lastSeenAt: number | null;
  lastError: string | null;
  /** Failed health checks in a row. */
  errorCount: number;
}

/** Moving average of an endpoint's inference latency; null is unmeasured. */
export interface InferenceLatency {
  ms: number | null;
  /** Unix ms. */
  measuredAt: number | null;
}
