import type { OllamaModelOptions, OllamaSettings } from "../../../wire/ollama.ts";
import { compact } from "../../compact.ts";
import { reasoningFromOllama } from "./reasoning.ts";

/** The `options` that chat completions and text completions know by the same name. */
const SAME_OPTIONS = [
  ...(["temperature", "top_p", "top_k", "min_p", "typical_p", "seed", "stop"] as const),
  ...(["repeat_penalty", "repeat_last_n", "presence_penalty", "frequency_penalty"] as const),
  ...(["mirostat", "mirostat_tau", "mirostat_eta"] as const),
] satisfies (keyof OllamaModelOptions)[];

/**
 * The fields of a chat or text completion beside its messages or prompt: token limit, sampling,
 * response format, reasoning, stream. Options about loading a model (`num_ctx`, `num_gpu`, …) are
 * left out: the upstream decides them.
 */
export function chatSettingsFromOllama(request: OllamaSettings): Record<string, unknown> {
  const { format, logprobs, top_logprobs, keep_alive, stream } = request;
  const options = request.options ?? {};
  const { num_predict: limit, repeat_penalty } = options;
  const sampling = SAME_OPTIONS.map((name) => [name, options[name]] as const);
  return compact({
    ...Object.fromEntries(sampling),
    // vLLM and SGLang know it by this name.
    repetition_penalty: repeat_penalty,
    // -1 and -2 stand for no limit.
    max_tokens: limit && limit > 0 ? limit : undefined,
    response_format: format ? responseFormat(format) : undefined,
    ...{ logprobs, top_logprobs, keep_alive },
    ...reasoningFromOllama(request),
    stream: stream !== false,
    stream_options: stream === false ? undefined : { include_usage: true },
  });
}

function responseFormat(format: "json" | Record<string, unknown>): object {
  if (format === "json") return { type: "json_object" };
  return { type: "json_schema", json_schema: { name: "format", schema: format } };
}
