import type { ChatRequest } from "../../../wire/chat.ts";
import type { GoogleGeneration } from "../../../wire/google.ts";
import { compact } from "../../compact.ts";
import { googleThinking } from "./reasoning.ts";
import { googleSchema } from "./schema.ts";

/**
 * The limits, sampling, response format and thinking of a chat for Google; undefined if the request
 * sets none of them. `model` is Google's name of the model.
 */
export function googleGenerationConfig(
  request: ChatRequest,
  model: string,
): GoogleGeneration | undefined {
  const { stop, response_format: format, reasoning_effort: effort } = request;
  const fields: { [K in keyof GoogleGeneration]: GoogleGeneration[K] | null | undefined } = {
    maxOutputTokens: request.max_completion_tokens ?? request.max_tokens,
    temperature: request.temperature,
    topP: request.top_p,
    topK: topK(request.top_k),
    stopSequences: typeof stop === "string" ? [stop] : stop,
    seed: request.seed,
    presencePenalty: request.presence_penalty,
    frequencyPenalty: request.frequency_penalty,
    candidateCount: request.n,
    responseMimeType: format && format.type !== "text" ? "application/json" : undefined,
    responseJsonSchema:
      format?.type === "json_schema" ? googleSchema(format.json_schema.schema) : undefined,
    responseLogprobs: request.logprobs,
    logprobs: request.logprobs ? request.top_logprobs : undefined,
    thinkingConfig: typeof effort === "string" ? googleThinking(effort, model) : undefined,
  };
  const config: GoogleGeneration = compact(fields);
  return Object.keys(config).length === 0 ? undefined : config;
}

/** `top_k` is not a field of OpenAI's, but of vLLM, llama-server and others. */
function topK(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? value : undefined;
}
