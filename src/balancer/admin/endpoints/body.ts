import { parseEndpoint } from "../../../config/values/endpoint.ts";
import type { EndpointFields } from "../../../db/state/endpoint.ts";
import type { EndpointChangeBody, NewEndpointBody } from "../../../wire/endpoint.ts";
import { ApiError } from "../../../wire/error.ts";
import { ENDPOINT_DEFAULTS, type Endpoint, type EndpointSource } from "../../upstream/endpoint.ts";
import type { EndpointRegistry, NewEndpointFields } from "./registry.ts";

/** The fields of the endpoint to create. Throws 400 for an address that must not be called. */
export async function newEndpointFields(
  { name, base_url, ...rest }: NewEndpointBody,
  registry: EndpointRegistry,
): Promise<NewEndpointFields> {
  const address = await readAddress({ base_url, api_key: rest.api_key }, registry);
  return { name, source: "api", ...optionalFields(rest), ...address };
}

/**
 * The fields that a request changes. Throws 400 for an address that must not be called, and 409 for
 * a field that is set elsewhere.
 */
export async function changedFields(
  endpoint: Endpoint,
  body: EndpointChangeBody,
  registry: EndpointRegistry,
): Promise<Partial<EndpointFields>> {
  const { source } = endpoint.facts;
  const managed = MANAGED_FIELDS[source].find((field) => body[field] !== undefined);
  if (managed !== undefined) {
    const message = `The endpoint ${endpoint.name} could not be changed: its \`${managed}\` \
${OWNERS[source]}.`;
    throw new ApiError("conflict", message, { code: `managed_by_${source}`, param: managed });
  }
  const { name, base_url, ...rest } = body;
  return {
    ...(name === undefined ? {} : { name }),
    ...optionalFields(rest),
    ...(base_url === undefined
      ? {}
      : await readAddress({ base_url, api_key: rest.api_key }, registry)),
  };
}

/** Throws 409 for an endpoint that would be back at the next start if it were deleted. */
export function requireDeletable({ name, facts: { source } }: Endpoint): void {
  if (source === "api" || source === "node") return;
  const message = `The endpoint ${name} could not be deleted: it ${OWNERS[source]}.`;
  throw new ApiError("conflict", message, { code: `managed_by_${source}` });
}

type ManagedField = keyof Omit<EndpointChangeBody, "notes" | "capabilities" | "slots">;

const TIMES = ["health_check_interval_secs", "inference_timeout_secs"] as const;

/** The fields that cannot be changed here, because the source sets them. */
const MANAGED_FIELDS: Record<EndpointSource, readonly ManagedField[]> = {
  api: [],
  config: ["name", "base_url", "api_key", "models", "tls_fingerprint", ...TIMES],
  node: ["base_url", "api_key", "models", "tls_fingerprint"],
  local: ["name", "base_url", "api_key", "models", "tls_fingerprint"],
};

const OWNERS: Record<EndpointSource, string> = {
  api: "is set here",
  config: "comes from --endpoint, LLMLB_ENDPOINTS or config.json; change it there and start again",
  node: "is what the node tells of itself; change it there",
  local: "is the node beside this balancer; use llmlb balancer to do without it",
};

/** The address and the API key in it, which an `api_key` of the body overrides. Throws 400. */
async function readAddress(
  { base_url, api_key: key }: Pick<NewEndpointBody, "base_url" | "api_key">,
  registry: EndpointRegistry,
) {
  await registry.guard(base_url, "base_url");
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

type OptionalBody = Omit<EndpointChangeBody, "name" | "base_url">;

/** The fields other than name and address. Null means the default of a field that has one. */
function optionalFields(body: OptionalBody): Partial<EndpointFields> {
  const { api_key: apiKey, notes, slots, models: givenModels, capabilities } = body;
  const { tls_fingerprint: fingerprint } = body;
  const interval = millisecondsOf(body.health_check_interval_secs);
  const timeout = millisecondsOf(body.inference_timeout_secs);
  return {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(notes === undefined ? {} : { notes }),
    ...(slots === undefined ? {} : { slots }),
    ...(givenModels === undefined ? {} : { givenModels }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(capabilities === undefined
      ? {}
      : { capabilities: capabilities ?? ENDPOINT_DEFAULTS.capabilities }),
    ...(interval === undefined ? {} : { healthIntervalMs: interval }),
    ...(timeout === undefined ? {} : { inferenceTimeoutMs: timeout }),
  };
}

function millisecondsOf(seconds: number | null | undefined): number | null | undefined {
  return typeof seconds === "number" ? seconds * 1000 : seconds;
}
