import { type EndpointSetting, endpointList } from "../values/endpoint.ts";
import { duration, oneOf, trueOrFalse, wholeNumber } from "../values/scalar.ts";
import type { FieldsOf } from "./field.ts";

/** How the endpoint for a request is chosen among those that have its model and a free slot. */
export type Strategy = "prefix" | "latency" | "least-busy" | "round-robin";

const STRATEGIES: Strategy[] = ["prefix", "latency", "least-busy", "round-robin"];
const SECOND_MS = 1000;
const SLOTS_MAX = 10_000;

/** The endpoints of a balancer, how they are checked and how one is chosen. */
export interface EndpointSettings {
  endpoints: EndpointSetting[];
  /** Time between two health checks of an endpoint. */
  healthIntervalMs: number;
  /** Longest wait for one health check. */
  healthTimeoutMs: number;
  /** Endpoints may be at link-local addresses and those of clouds' metadata services. */
  allowMetadataAddresses: boolean;
  strategy: Strategy;
  /** Requests that an endpoint works on at the same time, unless it says how many. */
  defaultSlots: number;
}

/** The fields of `EndpointSettings`. */
export const ENDPOINT_FIELDS: FieldsOf<EndpointSettings> = {
  endpoints: {
    name: "endpoints",
    flags: "-e, --endpoint <[name=]url>",
    group: "Endpoints",
    help: "OpenAI-compatible server to balance over, its key as http://KEY@host; may be repeated",
    schema: () => endpointList(),
    fallback: () => [],
    fallbackText: "none",
    repeatable: true,
  },
  healthIntervalMs: {
    name: "health_interval",
    flags: "--health-interval <time>",
    group: "Endpoints",
    help: "Time between two health checks of an endpoint",
    schema: () => duration(100),
    fallback: () => 30 * SECOND_MS,
    unit: "ms",
  },
  healthTimeoutMs: {
    name: "health_timeout",
    flags: "--health-timeout <time>",
    group: "Endpoints",
    help: "Longest wait for one health check",
    schema: () => duration(100),
    fallback: () => 5 * SECOND_MS,
    unit: "ms",
  },
  allowMetadataAddresses: {
    name: "allow_metadata_addresses",
    flags: "--allow-metadata-addresses",
    group: "Endpoints",
    help: "Allow endpoints at link-local addresses (169.254.0.0/16, fe80::/10), where clouds hand \
out credentials",
    schema: () => trueOrFalse(),
    fallback: () => false,
  },
  strategy: {
    name: "strategy",
    flags: "--strategy <strategy>",
    group: "Endpoints",
    help: `How to choose among endpoints: ${STRATEGIES.join(", ")}`,
    schema: () => oneOf(STRATEGIES),
    fallback: () => "prefix",
  },
  defaultSlots: {
    name: "default_slots",
    flags: "--default-slots <number>",
    group: "Endpoints",
    help: "Requests that an endpoint works on at the same time, unless it says how many",
    schema: () => wholeNumber(1, SLOTS_MAX),
    fallback: () => 8,
  },
};
