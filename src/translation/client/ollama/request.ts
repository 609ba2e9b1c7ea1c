import type { OllamaOptions, OllamaSettings } from "../../../wire/ollama.ts";
import { compact } from "../../validation.ts";

/** Of `options`, what chat completions and text completions call the same. */
const SAME = [
  ...(["temperature", "top_p", "top_k", "min_p", "typical_p", "seed", "stop"] as const),
  ...(["repeat_penalty", "repeat_last_n", "presence_penalty", "frequency_penalty"] as const),
  ...(["mirostat", "mirostat_tau", "mirostat_eta"] as const),
] satisfies (keyof OllamaOptions)[];

/**
 * How the model is to write, for `/v1/chat/completions` and `/v1/completions`: the limit, the
 * sampling, the form, the stream. What says how a model is loaded (`num_ctx`, `num_gpu` and such)
 * is the endpoint's business and left out.
 */
export function chatSettingsFromOllama(request: OllamaSettings): Record<string, unknown> {
  const { format, logprobs, top_logprobs, keep_alive, stream } = request;
  const options = request.options ?? {};
  const { num_predict: limit, repeat_penalty } = options;
  const sampling = SAME.map((name) => [name, options[name]] as const);
  const fields = {
    ...Object.fromEntries(sampling),
    // vLLM and SGLang know it by this name.
    repetition_penalty: repeat_penalty,
    // -1 and -2 mean as much as there is room for.
    max_tokens: limit && limit > 0 ? limit : undefined,
    response_format: format ? formatOf(format) : undefined,
    ...{ logprobs, top_logprobs, keep_alive },
    ...thinkingOf(request),
    stream: stream !== false,
    stream_options: stream === false ? undefined : { include_usage: true },
  };
  return compact(fields);
}

/** The same for a request that is only to load the model: the shortest answer that there is. */
export function loadSettingsFromOllama({ keep_alive }: OllamaSettings): Record<string, unknown> {
  return {
    max_tokens: 1,
    stream: false,
    ...(keep_alive === undefined || keep_alive === null ? {} : { keep_alive }),
  };
}

function formatOf(format: "json" | Record<string, unknown>): object {
  if (format === "json") return { type: "json_object" };
  return { type: "json_schema", json_schema: { name: "format", schema: format } };
}

/** Servers of chat templates are told by `chat_template_kwargs`, the others by the effort. */
function thinkingOf({ think }: OllamaSettings): Record<string, unknown> {
  if (think === undefined || think === null) return {};
  if (typeof think === "string") return { reasoning_effort: think };
  return {
    reasoning_effort: think ? "medium" : "none",
    chat_template_kwargs: { enable_thinking: think },
  };
}
