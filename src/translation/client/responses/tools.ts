import type { ChatTool, ToolChoice } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import {
  AllowedTools,
  FunctionChoice,
  FunctionTool,
  type ResponsesRequest,
} from "../../../wire/responses.ts";
import { parseRequest } from "../../validation.ts";

/** The tools of a request and which of them the model must or may use, for chat completions. */
export interface ChatTools {
  tools?: ChatTool[];
  tool_choice?: ToolChoice;
}

/**
 * Chat completions know functions only. A choice among allowed tools is made by leaving the others
 * out, and so are tools that OpenAI runs itself (`web_search`, …): programs name those beside their
 * functions whatever model they talk to. Throws `invalid_request` where nothing else is left, or
 * the choice demands one.
 */
export function chatToolsFromResponses({
  tools,
  tool_choice: choice,
}: ResponsesRequest): ChatTools {
  const functions = (tools ?? []).flatMap(chatTool);
  const [first] = tools ?? [];
  if (functions.length === 0 && first !== undefined) throw unsupported("tools.0.type", first.type);
  const all = functions.length === 0 ? {} : { tools: functions };
  if (choice === undefined || choice === null) return all;
  if (typeof choice === "string") return { ...all, tool_choice: choice };
  const at = "tool_choice";
  if (choice.type === "function") {
    const { name } = parseRequest(FunctionChoice, choice, at);
    return { ...all, tool_choice: { type: "function", function: { name } } };
  }
  if (choice.type !== "allowed_tools") throw unsupported(`${at}.type`, choice.type);
  const allowed = parseRequest(AllowedTools, choice, at);
  const names = allowed.tools.map(({ type, name }, i) => {
    const known = functions.some((tool) => tool.function.name === name);
    if (type !== "function") throw unsupported(`${at}.tools.${i}.type`, type);
    if (!known) throw unknownTool(`${at}.tools.${i}.name`, name ?? "");
    return name;
  });
  const tools_ = functions.filter((tool) => names.includes(tool.function.name));
  return { tools: tools_, tool_choice: allowed.mode };
}

function chatTool(tool: { type: string }, i: number): ChatTool[] {
  if (tool.type !== "function") return [];
  const { name, description, parameters, strict } = parseRequest(FunctionTool, tool, `tools.${i}`);
  const definition = {
    name,
    ...(typeof description === "string" ? { description } : {}),
    ...(parameters ? { parameters } : {}),
    ...(typeof strict === "boolean" ? { strict } : {}),
  };
  return [{ type: "function", function: definition }];
}

function unsupported(param: string, type: string): ApiError {
  const message = `The response cannot be made: \`${param}\` is \`${type}\`, and endpoints \
that speak chat completions have no such tools. Use tools of type \`function\`.`;
  return new ApiError("invalid_request", message, { code: "unsupported_value", param });
}

function unknownTool(param: string, name: string): ApiError {
  const message = `The response cannot be made: \`${param}\` is \`${name}\`, which is not in \
\`tools\`. Add it there, or take it out.`;
  return new ApiError("invalid_request", message, { param });
}
