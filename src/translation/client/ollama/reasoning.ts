import type { OllamaSettings } from "../../../wire/ollama.ts";

/**
 * The fields of a chat completion for Ollama's `think`. Servers with chat templates read
 * `chat_template_kwargs`, other servers `reasoning_effort`.
 */
export function reasoningFromOllama({ think }: OllamaSettings): Record<string, unknown> {
  if (think === undefined || think === null) return {};
  if (typeof think === "string") return { reasoning_effort: think };
  return {
    reasoning_effort: think ? "medium" : "none",
    chat_template_kwargs: { enable_thinking: think },
  };
}
