import type { ChatTool } from "../../../wire/chat.ts";
import type { OllamaTool } from "../../../wire/ollama.ts";

/** The tools that a model may call, for chat completions. */
export function chatToolsFromOllama(tools: readonly OllamaTool[]): ChatTool[] {
  return tools.map(({ function: { name, description, parameters } }) => ({
    type: "function",
    function: {
      name,
      ...(description ? { description } : {}),
      ...(parameters ? { parameters } : {}),
    },
  }));
}
