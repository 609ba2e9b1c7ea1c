import { parseEndpoint } from "../../../config/endpoint.ts";
import type { EndpointFields } from "../../../db/state/endpoint.ts";
import { guardUrl } from "../../../http/ssrf.ts";
import type { EndpointChangeBody, NewEndpointBody } from "../../../wire/endpoint.ts";
import { ApiError } from "../../../wire/error.ts";
import { ENDPOINT_DEFAULTS, type Endpoint, type EndpointSource } from "../../upstream/endpoint.ts";
import type { NewEndpointFields } from "./registry.ts";

/** Says what an endpoint's interval is where nobody sets one. */
export interface BodyDefaults {
  healthIntervalMs: number;
}

/** The endpoint that a request asks for. Throws 400 for an address that must not be called. */
export async function newMember(
  { name, base_url, ...rest }: NewEndpointBody,
  defaults: BodyDefaults,
): Promise<NewEndpointFields> {
  const address = await readAddress(base_url, rest.api_key);
  return { name, source: "api", ...changesOf(rest, defaults), ...address };
}

/**
 * What a request changes of an endpoint. Throws 400 for an address that must not be called, and 409
 * for what is set elsewhere.
 */
export async function changesTo(
  endpoint: Endpoint,
  body: EndpointChangeBody,
  defaults: BodyDefaults,
): Promise<Partial<EndpointFields>> {
  const { source } = endpoint.facts;
  const fixed = FIXED[source].find((field) => body[field] !== undefined);
  if (fixed !== undefined) {
    const message = `The endpoint ${endpoint.name} could not be changed: its \`${fixed}\` \
${OWNERS[source]}.`;
    throw new ApiError("conflict", message, { code: `managed_by_${source}`, param: fixed });
  }
  const { name, base_url, ...rest } = body;
  return {
    ...(name === undefined ? {} : { name }),
    ...changesOf(rest, defaults),
    ...(base_url === undefined ? {} : await readAddress(base_url, rest.api_key)),
  };
}

/** Refuses (409) to delete an endpoint that would be back at the next start. */
export function requireDeletable({ name, facts: { source } }: Endpoint): void {
  if (source === "api" || source === "node") return;
  const message = `The endpoint ${name} could not be deleted: it ${OWNERS[source]}.`;
  throw new ApiError("conflict", message, { code: `managed_by_${source}` });
}

type Fixed = keyof Omit<EndpointChangeBody, "notes" | "capabilities" | "slots">;

const TIMES = ["health_check_interval_secs", "inference_timeout_secs"] as const;

/** What cannot be changed here, since it is set at the source. */
const FIXED: Record<EndpointSource, readonly Fixed[]> = {
  api: [],
  config: ["name", "base_url", "api_key", ...TIMES],
  node: ["base_url", "api_key"],
  local: ["name", "base_url", "api_key"],
};

const OWNERS: Record<EndpointSource, string> = {
  api: "is set here",
  config: "comes from --endpoint, LLMLB_ENDPOINTS or config.json; change it there and start again",
  node: "is what the node tells of itself; change it there",
  local: "is the node beside this balancer; use llmlb balancer to do without it",
};

/** An address without credentials in it: those are the key, unless there is one already. */
async function readAddress(base_url: string, key: string | null | undefined) {
  await guardUrl(base_url, "base_url");
  const parsed = parseEndpoint(base_url);
  if (typeof parsed === "string") {
    const message = `The request is invalid: \`base_url\` ${parsed}.`;
    throw new ApiError("invalid_request", message, { param: "base_url" });
  }
  const { apiKey } = parsed;
  return {
    baseUrl: base_url,
    ...(apiKey === undefined || typeof key === "string" ? {} : { apiKey }),
  };
}

type Changes = Omit<EndpointChangeBody, "name" | "base_url">;

/** Null is the default of a field that has one. */
function changesOf(body: Changes, defaults: BodyDefaults): Partial<EndpointFields> {
  const { api_key: apiKey, notes, slots, capabilities } = body;
  const interval = secondsOf(body.health_check_interval_secs, defaults.healthIntervalMs);
  const timeout = secondsOf(body.inference_timeout_secs, ENDPOINT_DEFAULTS.inferenceTimeoutMs);
  return {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(notes === undefined ? {} : { notes }),
    ...(slots === undefined ? {} : { slots }),
    ...(capabilities === undefined
      ? {}
      : { capabilities: capabilities ?? ENDPOINT_DEFAULTS.capabilities }),
    ...(interval === undefined ? {} : { healthIntervalMs: interval }),
    ...(timeout === undefined ? {} : { inferenceTimeoutMs: timeout }),
  };
}

function secondsOf(given: number | null | undefined, otherwiseMs: number): number | undefined {
  if (given === undefined) return undefined;
  return given === null ? otherwiseMs : given * 1000;
}
