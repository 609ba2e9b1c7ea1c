import { guardUrl } from "../../http/ssrf.ts";
import { ApiError } from "../../wire/error.ts";
import type { Endpoint, ModelMap } from "../upstream/endpoint.ts";
import { type GetJsonOptions, getJson } from "../upstream/jsonclient.ts";
import { withDetails } from "./modeldetail.ts";
import { readListing } from "./modellist.ts";
import { readSystem, type SystemReport } from "./system.ts";

/** What one health check found. */
export type CheckResult =
  | { ok: true; models: ModelMap; latencyMs: number; system: SystemReport | undefined }
  | {
      ok: false;
      failure: "connection" | "status" | "body";
      reason: string;
      /** Null when nothing answered. */
      latencyMs: number | null;
    };

/**
 * Asks an endpoint for its models (`GET /v1/models`), and what is a llmlb node, or may be one, for
 * its load as well (`GET /api/system`): requests are sent as soon as the check is done, and not
 * more than it has slots. Never throws.
 */
export async function checkEndpoint(
  endpoint: Endpoint,
  options: GetJsonOptions,
): Promise<CheckResult> {
  const refused = await refusedAddress(endpoint);
  if (refused !== undefined) {
    return { ok: false, failure: "connection", reason: refused, latencyMs: null };
  }
  const { kind } = endpoint.facts;
  const [answer, system] = await Promise.all([
    getJson(endpoint, "/v1/models", options),
    kind === null || kind === "llmlb" ? readSystem(endpoint, options) : undefined,
  ]);
  if (!answer.ok) return answer;
  const { latencyMs } = answer;
  const listed = readListing(answer.json);
  if (listed !== undefined) {
    const models = await withDetails(endpoint, listed, options);
    return { ok: true, models, latencyMs, system };
  }
  const what = answer.json === undefined ? "no JSON" : "no list of models";
  return { ok: false, failure: "body", reason: `GET /v1/models answered ${what}`, latencyMs };
}

/**
 * Why an endpoint's address must not be called: what its name resolves to may have changed since
 * it was registered. The operator's own configuration is not doubted.
 */
async function refusedAddress({ facts }: Endpoint): Promise<string | undefined> {
  if (facts.source === "config" || facts.source === "local") return undefined;
  try {
    await guardUrl(facts.url, "base_url");
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}
