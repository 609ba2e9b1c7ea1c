import type { AnthropicTool, MessagesRequest } from "../../../wire/anthropic.ts";
import type { ChatTool, ToolChoice } from "../../../wire/chat.ts";
import { compact, invalidField } from "../../validation.ts";

/**
 * Tools and how they are to be used, as chat completions have it. Throws 400 for tools that
 * Anthropic itself would have to run or to describe. Hints (caching, examples, deferred loading)
 * are left out.
 */
export function chatToolsFromAnthropic({ tools, tool_choice: choice }: MessagesRequest) {
  if (tools == null || tools.length === 0) return {};
  const serial = choice != null && "disable_parallel_tool_use" in choice;
  return compact({
    tools: tools.map(chatTool),
    tool_choice: choice == null ? undefined : chatChoice(choice),
    parallel_tool_calls:
      serial && typeof choice.disable_parallel_tool_use === "boolean"
        ? !choice.disable_parallel_tool_use
        : undefined,
  });
}

function chatTool(tool: AnthropicTool, i: number): ChatTool {
  const { type, name, description, input_schema: parameters, strict } = tool;
  if (type != null && type !== "custom") {
    const why = "Anthropic's API runs or describes this tool, chat completions do not know it";
    throw invalidField(`tools.${i}.type`, `is ${JSON.stringify(type)}: ${why}. Leave it out`);
  }
  const described = compact({ description, parameters, strict });
  return { type: "function", function: { name, ...described } };
}

function chatChoice(choice: NonNullable<MessagesRequest["tool_choice"]>): ToolChoice {
  switch (choice.type) {
    case "auto":
    case "none":
      return choice.type;
    case "any":
      return "required";
    case "tool":
      return { type: "function", function: { name: choice.name } };
  }
}
