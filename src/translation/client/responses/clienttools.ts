import type { ChatTool } from "../../../wire/chat.ts";
import {
  CustomTool,
  FunctionTool,
  type InputItem,
  type ResponsesRequest,
  ToolHolder,
} from "../../../wire/responses.ts";
import { compact } from "../../compact.ts";
import { parseRequest } from "../../validation.ts";

/** A tool that the client runs, as chat completions have it. */
export interface ClientTool {
  name: string;
  /** The group that it stands in, if any: calls of it name that too. */
  namespace: string | undefined;
  /** Whether it takes a text instead of arguments. */
  isCustom: boolean;
  tool: ChatTool;
}

/** Items that bring tools along in the middle of a conversation. */
const HOLDERS = ["additional_tools", "tool_search_output"];

interface Place {
  at: string;
  namespace?: string | undefined;
}

/**
 * The tools that the client runs, each name once: those of the request, and those that items of its
 * conversation bring along. Tools that OpenAI runs or describes itself are left out.
 */
export function clientTools({ tools, input }: ResponsesRequest): ClientTool[] {
  const found = (tools ?? []).flatMap((tool, i) => toolsIn(tool, { at: `tools.${i}` }));
  for (const [i, item] of (typeof input === "string" ? [] : input).entries()) {
    if (HOLDERS.includes(item.type ?? "")) found.push(...toolsHeldBy(item, { at: `input.${i}` }));
  }
  const byName = new Map<string, ClientTool>();
  for (const tool of found) if (!byName.has(tool.name)) byName.set(tool.name, tool);
  return [...byName.values()];
}

/** Those of a list of tools; none where it is no list. */
function toolsHeldBy(holder: InputItem, { at, namespace }: Place): ClientTool[] {
  const held = ToolHolder.safeParse(holder).data?.tools ?? [];
  return held.flatMap((tool, i) => toolsIn(tool, { at: `${at}.tools.${i}`, namespace }));
}

function toolsIn(tool: { type: string }, { at, namespace }: Place): ClientTool[] {
  if (tool.type === "namespace") {
    const name = ToolHolder.safeParse(tool).data?.name ?? undefined;
    return toolsHeldBy(tool, { at, namespace: name });
  }
  if (tool.type === "function") {
    const { name, description, parameters, strict } = parseRequest(FunctionTool, tool, at);
    const described = compact({ description, parameters, strict });
    const chatTool: ChatTool = { type: "function", function: { name, ...described } };
    return [{ name, namespace, isCustom: false, tool: chatTool }];
  }
  const custom = CustomTool.safeParse(tool).data;
  if (custom === undefined) return [];
  return [{ name: custom.name, namespace, isCustom: true, tool: textFunction(custom) }];
}

/** A tool that takes a text, as a function whose only argument is that text. */
function textFunction({ name, description, format }: CustomTool): ChatTool {
  const grammar = format?.definition;
  const about = grammar === undefined ? {} : { description: grammarOf(format?.syntax, grammar) };
  const parameters = {
    type: "object",
    properties: { input: { type: "string", ...about } },
    required: ["input"],
    additionalProperties: false,
  };
  return { type: "function", function: { name, ...compact({ description }), parameters } };
}

function grammarOf(syntax: string | undefined, definition: string): string {
  return `A text that follows this grammar${syntax ? ` (${syntax})` : ""}:\n${definition}`;
}
