import type { ChatTool, ToolChoice } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import { AllowedTools, FunctionChoice, type ResponsesRequest } from "../../../wire/responses.ts";
import { compact } from "../../compact.ts";
import { parseRequest } from "../../validation.ts";
import { clientTools } from "./clienttools.ts";

/** The tools of a chat completion, and which of them the model may or must use. */
interface ChatTools {
  tools?: ChatTool[];
  tool_choice?: ToolChoice;
  parallel_tool_calls?: boolean;
}

/**
 * The tools of a request, for chat completions, which only have functions. If the choice allows
 * some tools only, the others are left out. Tools that OpenAI runs itself (`web_search`, …) are
 * left out too, because programs name them beside their functions whatever the model. A choice, or
 * parallel calls, without tools is left out, because servers refuse it. Throws `invalid_request` if
 * there are no functions among the tools, or if the choice demands another kind.
 */
export function chatToolsFromResponses(request: ResponsesRequest): ChatTools {
  const { tools, parallel_tool_calls } = request;
  const functions = clientTools(request).map(({ tool }) => tool);
  const [first] = tools ?? [];
  if (functions.length === 0 && first !== undefined && !isEmptyGroup(first)) {
    throw unsupported("tools.0.type", first.type);
  }
  const chosen = chosenTools(functions, request.tool_choice);
  if (functions.length === 0) return {};
  return { tools: functions, ...chosen, ...compact({ parallel_tool_calls }) };
}

/** The client's own tools, which are called by their name. */
const NAMED = ["function", "custom"];

/** The choice; with it the tools, where it is one of only some of them. */
function chosenTools(functions: readonly ChatTool[], choice: ResponsesRequest["tool_choice"]) {
  if (choice === undefined || choice === null) return {};
  if (typeof choice === "string") return { tool_choice: choice };
  const at = "tool_choice";
  if (NAMED.includes(choice.type)) {
    const { name } = parseRequest(FunctionChoice, choice, at);
    return { tool_choice: { type: "function" as const, function: { name } } };
  }
  if (choice.type !== "allowed_tools") throw unsupported(`${at}.type`, choice.type);
  const allowed = parseRequest(AllowedTools, choice, at);
  const names = allowed.tools.flatMap(({ type, name }, i) => {
    if (!NAMED.includes(type)) return [];
    const isOffered = functions.some((tool) => tool.function.name === name);
    if (!isOffered) throw unknownTool(`${at}.tools.${i}.name`, name ?? "");
    return [name];
  });
  const [first] = allowed.tools;
  if (names.length === 0) throw unsupported(`${at}.tools.0.type`, first?.type ?? "");
  const allowedFunctions = functions.filter((tool) => names.includes(tool.function.name));
  return { tools: allowedFunctions, tool_choice: allowed.mode };
}

function isEmptyGroup(tool: { type: string; tools?: unknown }): boolean {
  return tool.type === "namespace" && Array.isArray(tool.tools) && tool.tools.length === 0;
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
