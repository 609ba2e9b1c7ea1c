import { z } from "zod";
import type { ToolCall } from "../../../wire/chat.ts";
import {
  CustomCallItem,
  FunctionCallItem,
  FunctionOutputItem,
  HostedCallItem,
  HostedOutputItem,
  type InputPart,
} from "../../../wire/responses.ts";
import { parseRequest } from "../../validation.ts";

/** What a tool answered, before its parts are put in other words. */
export interface CallResult {
  id: string;
  output: string | InputPart[];
}

/** How the client's own tools without a schema are called: by OpenAI's names for them. */
const BUILT_IN: ReadonlyMap<string, string> = new Map([
  ["local_shell_call", "local_shell"],
  ["shell_call", "shell"],
  ["apply_patch_call", "apply_patch"],
]);
const BUILT_IN_OUTPUTS = [...BUILT_IN.keys()].map((type) => `${type}_output`);

/** An item that calls a tool of the client's, as a function's call; undefined for other items. */
export function callOf(type: string, item: unknown, at: string): ToolCall | undefined {
  if (type === "function_call") {
    const { call_id, name, arguments: args } = parseRequest(FunctionCallItem, item, at);
    return functionCall(call_id, name, args);
  }
  if (type === "custom_tool_call") {
    const { call_id, name, input } = parseRequest(CustomCallItem, item, at);
    return functionCall(call_id, name, JSON.stringify({ input }));
  }
  const name = BUILT_IN.get(type);
  if (name === undefined) return undefined;
  const { call_id, id, action, operation } = parseRequest(HostedCallItem, item, at);
  // An action is always to run something; an operation on a file is known by its type.
  const { type: _, ...args } = action ?? {};
  return functionCall(call_id ?? id ?? "", name, JSON.stringify(operation ?? args));
}

/** An item with the result of such a call; undefined for other items. */
export function resultOf(type: string, item: unknown, at: string): CallResult | undefined {
  if (type === "function_call_output" || type === "custom_tool_call_output") {
    const { call_id: id, output } = parseRequest(FunctionOutputItem, item, at);
    return { id, output };
  }
  if (!BUILT_IN_OUTPUTS.includes(type)) return undefined;
  const { call_id, id, status, output } = parseRequest(HostedOutputItem, item, at);
  const text = Text.safeParse(output ?? status ?? "").data ?? JSON.stringify(output);
  return { id: call_id ?? id ?? "", output: text };
}

const Text = z.string();

function functionCall(id: string, name: string, args: string): ToolCall {
  return { id, type: "function", function: { name, arguments: args } };
}
