import { z } from "zod";
import type { EndpointKind } from "../../wire/endpoint.ts";
import { listHolder } from "../../wire/openai.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { type GetJsonOptions, getJson, type JsonAnswer } from "../upstream/jsonclient.ts";
import { getSystemReport, type SystemReport } from "./systemreport.ts";

/** The answers of a server to the requests that tell kinds of servers apart. */
export interface ServerAnswers {
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

/** Longest time for all requests, which are sent at the same time. */
const DETECT_MS_MAX = 5000;

/**
 * Finds out what kind of server an endpoint is, and gets its system report if it has one. Undefined
 * if nothing answers at its address. Never throws.
 */
export async function detectKind(
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<{ kind: EndpointKind; system: SystemReport | undefined } | undefined> {
  const options: GetJsonOptions = { timeoutMs: DETECT_MS_MAX, signal };
  const ask = (path: string) => getJson(endpoint, path, options);
  const [system, models, lmStudio, root, ollama, vllm, props] = await Promise.all([
    getSystemReport(endpoint, options),
    ask("/v1/models"),
    ask("/api/v1/models"),
    ask("/"),
    ask("/api/version"),
    ask("/version"),
    ask("/props"),
  ]);
  if (!models.ok && models.failure === "connection") return undefined;
  return { kind: kindOf({ system, models, lmStudio, root, ollama, vllm, props }), system };
}

/**
 * The kind of a server, by the first rule that fits:
 *
 * 1. It reports a version of llmlb, as a node does, or a balancer at Ollama's `/api/version`:
 *    `llmlb`.
 * 2. Its `server` header or its models' owner is llama.cpp, or it has llama-server's `/props`:
 *    `llama_server`. Before Ollama, because it imitates Ollama's `/api/tags`.
 * 3. It has LM Studio's own list (models with a `key`), header or owner of models: `lm_studio`.
 * 4. It says that Ollama is running, or has Ollama's version and owner of models: `ollama`.
 * 5. Its models' owner is SGLang: `sglang`. Before vLLM, for it tells `max_model_len` as well.
 * 6. Its header or its models' owner is vLLM, or it has `max_model_len` and a version: `vllm`.
 * 7. Anything else: `openai_compatible`.
 */
export function kindOf(answers: ServerAnswers): EndpointKind {
  const { system, models, lmStudio, root, ollama, vllm, props } = answers;
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
  if (ownedBy("sglang")) return "sglang";
  if (server.includes("vllm") || ownedBy("vllm")) return "vllm";
  if (list.some(({ max_model_len }) => max_model_len !== undefined) && fits(vllm, Version)) {
    return "vllm";
  }
  return "openai_compatible";
}

const OwnedList = z.preprocess(
  listHolder,
  z.looseObject({
    data: z.array(
      z.looseObject({
        owned_by: z.string().optional().catch(undefined),
        max_model_len: z.number().optional().catch(undefined),
      }),
    ),
  }),
);
const LmStudioList = z.looseObject({
  models: z.array(z.looseObject({ key: z.string(), publisher: z.string() })).min(1),
});
const Version = z.looseObject({ version: z.string() });
const LlmlbVersion = z.looseObject({ llmlb_version: z.string() });
const LlamaProps = z.looseObject({ default_generation_settings: z.looseObject({}) });

function fits(answer: JsonAnswer, schema: z.ZodType): boolean {
  return answer.ok && schema.safeParse(answer.json).success;
}
