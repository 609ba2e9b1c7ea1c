import type { AnthropicTool, MessagesRequest } from "../../../wire/anthropic.ts";
import type { ChatTool, ToolChoice } from "../../../wire/chat.ts";
import { compact } from "../../compact.ts";
import { invalidField } from "../../errors.ts";

/**
 * The tools of a request, and how the model shall use them, for chat completions. Hints (caching,
 * examples, deferred loading) are left out. Throws `invalid_request` for tools that Anthropic
 * itself would have to run or to describe.
 */
export function chatToolsFromAnthropic({ tools, tool_choice: choice }: MessagesRequest) {
  if (tools == null || tools.length === 0) return {};
  const serial = choice != null && "disable_parallel_tool_use" in choice;
  return compact({
    tools: tools.map(chatTool),
    tool_choice: choice == null ? undefined : chatToolChoice(choice),
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
  return { type: "function", function: { name, ...compact({ description, parameters, strict }) } };
}

function chatToolChoice(choice: NonNullable<MessagesRequest["tool_choice"]>): ToolChoice {
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
