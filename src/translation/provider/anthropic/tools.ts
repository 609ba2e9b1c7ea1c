import type { ChatRequest, ChatTool } from "../../../wire/chat.ts";
import { compact } from "../../compact.ts";

/** The tools of a chat, and how the model shall use them, for Anthropic. */
export function anthropicToolsFromChat(request: ChatRequest): object {
  const { tools, tool_choice, parallel_tool_calls: parallel } = request;
  if (tools == null || tools.length === 0) return {};
  const serial = parallel == null ? {} : { disable_parallel_tool_use: !parallel };
  const choice = tool_choice ?? (parallel == null ? undefined : "auto");
  return compact({
    tools: tools.map(anthropicTool),
    tool_choice: choice === undefined ? undefined : anthropicToolChoice(choice, serial),
  });
}

function anthropicTool(tool: ChatTool): object {
  const { name, description, parameters, strict, cache_control: inner } = tool.function;
  const schema = parameters === undefined ? { properties: {} } : parameters;
  return {
    name,
    ...compact({ description, strict, cache_control: tool.cache_control ?? inner }),
    input_schema: { type: "object", ...schema },
  };
}

function anthropicToolChoice(
  choice: NonNullable<ChatRequest["tool_choice"]>,
  serial: object,
): object {
  if (typeof choice !== "string") return { type: "tool", name: choice.function.name, ...serial };
  switch (choice) {
    case "none":
      return { type: "none" };
    case "auto":
      return { type: "auto", ...serial };
    case "required":
      return { type: "any", ...serial };
  }
}
