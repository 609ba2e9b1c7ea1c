import type { Endpoint, ModelMap } from "../upstream/endpoint.ts";
import { type GetJsonOptions, getJson } from "../upstream/jsonclient.ts";
import { addDetails } from "./modeldetail.ts";
import { readModelList } from "./modellist.ts";
import { getSystemReport, type SystemReport } from "./systemreport.ts";

/** The result of one health check. */
export type CheckResult =
  | { ok: true; models: ModelMap; latencyMs: number; system: SystemReport | undefined }
  | {
      ok: false;
      failure: "connection" | "status" | "body";
      reason: string;
      /** Null when nothing answered. */
      latencyMs: number | null;
    };

/** Statuses of a server that has no list of its models. */
const LISTLESS = new Set([404, 405, 501]);

const ADVICE = "if it has no list of models, name them (`models`)";

/** A list of models that somebody named. */
function modelsNamed(names: readonly string[]): ModelMap {
  return readModelList(names) ?? new Map();
}

/**
 * Asks an endpoint for its models (`GET /v1/models`). One that is, or may be, a node of llmlb is
 * also asked for its slots (`GET /api/system`), which are needed before it gets its first request.
 * Where it has no list, or an empty one, its models are those that the operator named. Never
 * throws.
 */
export async function checkEndpoint(
  endpoint: Endpoint,
  options: GetJsonOptions,
): Promise<CheckResult> {
  const { kind } = endpoint.facts;
  const [answer, system] = await Promise.all([
    getJson(endpoint, "/v1/models", options),
    kind === null || kind === "llmlb" ? getSystemReport(endpoint, options) : undefined,
  ]);
  const given = endpoint.facts.givenModels;
  if (!answer.ok) {
    if (!LISTLESS.has(answer.status ?? 0)) return answer;
    if (given !== null) {
      const latencyMs = answer.latencyMs ?? 0;
      return { ok: true, models: modelsNamed(given), latencyMs, system };
    }
    return { ...answer, reason: `${answer.reason}: ${ADVICE}` };
  }
  const { latencyMs } = answer;
  const told = readModelList(answer.json);
  const isTold = told !== undefined && (told.size > 0 || given === null);
  const list = isTold || given === null ? told : modelsNamed(given);
  if (list !== undefined) {
    const models = await addDetails(endpoint, list, options);
    return { ok: true, models, latencyMs, system };
  }
  const what = answer.json === undefined ? "no JSON" : "no list of models";
  return { ok: false, failure: "body", reason: `GET /v1/models answered ${what}`, latencyMs };
}
