import { z } from "zod";
import type { EndpointKind } from "../../wire/endpoint.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { type GetJsonOptions, getJson, type JsonAnswer } from "../upstream/jsonclient.ts";
import { readSystem, type SystemReport } from "./system.ts";

/** What a server answers to the questions that tell servers apart. */
export interface Evidence {
  system: SystemReport | undefined;
  /** `GET /v1/models`. */
  models: JsonAnswer;
  /** `GET /api/v1/models`: LM Studio's own list. */
  lmStudio: JsonAnswer;
  /** `GET /`. */
  root: JsonAnswer;
  /** `GET /api/version`: Ollama's. */
  ollama: JsonAnswer;
  /** `GET /version`: vLLM's. */
  vllm: JsonAnswer;
  /** `GET /props`: llama-server's. */
  props: JsonAnswer;
}

/** Longest time for all questions together; they are asked at the same time. */
const DETECT_MS_MAX = 5000;

/** Finds out what answers at an endpoint's address; undefined if nothing does. Never throws. */
export async function detectKind(
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<{ kind: EndpointKind; system: SystemReport | undefined } | undefined> {
  const options: GetJsonOptions = { timeoutMs: DETECT_MS_MAX, signal };
  const question = (path: string) => getJson(endpoint, path, options);
  const [system, models, lmStudio, root, ollama, vllm, props] = await Promise.all([
    readSystem(endpoint, options),
    question("/v1/models"),
    question("/api/v1/models"),
    question("/"),
    question("/api/version"),
    question("/version"),
    question("/props"),
  ]);
  if (!models.ok && models.failure === "connection") return undefined;
  return { kind: kindOf({ system, models, lmStudio, root, ollama, vllm, props }), system };
}

/**
 * What a server is, by the first that fits:
 *
 * 1. It tells a version of llmlb, as a node does, or a balancer beside Ollama's: `llmlb`.
 * 2. It names itself llama.cpp, owns its models so, or has llama-server's `/props`:
 *    `llama_server`. Before Ollama, whose `/api/tags` it imitates.
 * 3. It has LM Studio's own list (models with a `key`) or owner of models: `lm_studio`.
 * 4. It says that Ollama is running, or has Ollama's version and owner of models: `ollama`.
 * 5. It names itself vLLM, owns its models so, or tells `max_model_len` and a version: `vllm`.
 * 6. Anything else: `openai_compatible`.
 */
export function kindOf(evidence: Evidence): EndpointKind {
  const { system, models, lmStudio, root, ollama, vllm, props } = evidence;
  const list = models.ok ? (OwnedList.safeParse(models.json).data?.data ?? []) : [];
  const ownedBy = (owner: string) => list.some(({ owned_by }) => owned_by === owner);
  const server = models.ok ? models.server.toLowerCase() : "";
  if (system?.llmlb_version !== undefined || fits(ollama, LlmlbVersion)) return "llmlb";
  if (/llama\.?cpp/.test(server) || ownedBy("llamacpp") || fits(props, LlamaProps)) {
    return "llama_server";
  }
  if (/lm.?studio/.test(server) || fits(lmStudio, LmStudioList) || ownedBy("organization_owner")) {
    return "lm_studio";
  }
  if (root.ok && root.text.includes("Ollama is running")) return "ollama";
  if (ownedBy("library") && fits(ollama, Version)) return "ollama";
  if (server.includes("vllm") || ownedBy("vllm")) return "vllm";
  if (list.some(({ max_model_len }) => max_model_len !== undefined) && fits(vllm, Version)) {
    return "vllm";
  }
  return "openai_compatible";
}

const OwnedList = z.looseObject({
  data: z.array(
    z.looseObject({
      owned_by: z.string().optional().catch(undefined),
      max_model_len: z.number().optional().catch(undefined),
    }),
  ),
});
const LmStudioList = z.looseObject({
  models: z.array(z.looseObject({ key: z.string(), publisher: z.string() })).min(1),
});
const Version = z.looseObject({ version: z.string() });
const LlmlbVersion = z.looseObject({ llmlb_version: z.string() });
const LlamaProps = z.looseObject({ default_generation_settings: z.looseObject({}) });

function fits(answer: JsonAnswer, schema: z.ZodType): boolean {
  return answer.ok && schema.safeParse(answer.json).success;
}
