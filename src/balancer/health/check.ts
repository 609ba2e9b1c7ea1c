import type { WarmthReport } from "../routing/warmth.ts";
import type { Endpoint, ModelMap } from "../upstream/endpoint.ts";
import { type GetJsonOptions, getJson } from "../upstream/jsonclient.ts";
import { addDetails } from "./modeldetail.ts";
import { readModelList } from "./modellist.ts";
import { getSystemReport, type SystemReport } from "./systemreport.ts";
import { askWarmth } from "./warmthreport.ts";

/** The result of one health check. */
export type CheckResult =
  | {
      ok: true;
      models: ModelMap;
      /** Entries of its list, also those that are not used. */
      listed: number;
      latencyMs: number;
      system: SystemReport | undefined;
      /** Which of its models are loaded; undefined: it does not tell. */
      warmth: WarmthReport | undefined;
    }
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
async function modelsNamed(names: readonly string[]) {
  const none = { models: new Map(), listed: 0, states: new Map() };
  return (await readModelList({ json: names })) ?? none;
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
      const { models, listed } = await modelsNamed(given);
      return { ok: true, models, listed, latencyMs, system, warmth: undefined };
    }
    return { ...answer, reason: `${answer.reason}: ${ADVICE}` };
  }
  const { latencyMs } = answer;
  const told = await readModelList(answer);
  const isTold = told !== undefined && (told.models.size > 0 || given === null);
  const list = isTold || given === null ? told : await modelsNamed(given);
  if (list !== undefined) {
    const [models, warmth] = await Promise.all([
      addDetails(endpoint, list.models, options),
      askWarmth(endpoint, { listed: list, system }, options),
    ]);
    return { ok: true, models, listed: list.listed, latencyMs, system, warmth };
  }
  const what = answer.json === undefined ? "no JSON" : "no list of models";
  return { ok: false, failure: "body", reason: `GET /v1/models answered ${what}`, latencyMs };
}
