import type { AnthropicTool, HostedTool, MessagesRequest } from "../../../wire/anthropic.ts";
import type { ChatTool, ToolChoice } from "../../../wire/chat.ts";
import { isHosted } from "../../../wire/functiontools.ts";
import { compact } from "../../compact.ts";
import { invalidField } from "../../errors.ts";

/**
 * The tools of a request, and how the model shall use them, for chat completions. Tools that
 * Anthropic itself would have to run or to describe are left out, because programs name them beside
 * their own whatever the model, and so are hints (caching, examples, deferred loading). Throws
 * `invalid_request` if there are no others, or if the choice demands such a tool.
 */
export function chatToolsFromAnthropic({ tools, tool_choice: choice }: MessagesRequest) {
  const [first] = tools ?? [];
  if (tools == null || first === undefined) return {};
  const functions = tools.filter(isOwn).map(chatTool);
  if (functions.length === 0) throw hostedToolError("tools.0.type", String(first.type));
  const chosen = choice?.type === "tool" ? choice.name : undefined;
  if (chosen !== undefined && tools.some((tool) => !isOwn(tool) && tool.name === chosen)) {
    throw hostedToolError("tool_choice.name", chosen);
  }
  const serial = choice != null && "disable_parallel_tool_use" in choice;
  return compact({
    tools: functions,
    tool_choice: choice == null ? undefined : chatToolChoice(choice),
    parallel_tool_calls:
      serial && typeof choice.disable_parallel_tool_use === "boolean"
        ? !choice.disable_parallel_tool_use
        : undefined,
  });
}

function isOwn(tool: AnthropicTool | HostedTool): tool is AnthropicTool {
  return !isHosted(tool, "custom");
}

function hostedToolError(param: string, name: string) {
  const why = "Anthropic's API runs or describes this tool, chat completions do not know it";
  return invalidField(param, `is ${JSON.stringify(name)}: ${why}. Leave it out`);
}

function chatTool({
  name,
  description,
  input_schema: parameters,
  strict,
}: AnthropicTool): ChatTool {
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
