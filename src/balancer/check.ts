import { type AskOptions, ask } from "./ask.ts";
import type { Endpoint, ModelMap } from "./endpoint.ts";
import { readListing } from "./endpoints/listing.ts";
import { readSystem, type SystemReport } from "./endpoints/system.ts";

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
 * Asks an endpoint for its models (`GET /v1/models`), and a llmlb node for its load as well
 * (`GET /api/system`). Never throws.
 */
export async function checkEndpoint(endpoint: Endpoint, options: AskOptions): Promise<CheckResult> {
  const [answer, system] = await Promise.all([
    ask(endpoint, "/v1/models", options),
    endpoint.facts.kind === "llmlb" ? readSystem(endpoint, options) : undefined,
  ]);
  if (!answer.ok) return answer;
  const { latencyMs } = answer;
  const models = readListing(answer.json);
  if (models !== undefined) return { ok: true, models, latencyMs, system };
  const what = answer.json === undefined ? "no JSON" : "no list of models";
  return { ok: false, failure: "body", reason: `GET /v1/models answered ${what}`, latencyMs };
}
