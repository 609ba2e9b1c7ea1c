import type { ChatRequest } from "../../../wire/chat.ts";
import type { GoogleFunction, GoogleRequest } from "../../../wire/google.ts";
import { unsupportedByGoogle } from "./errors.ts";
import { googleSchema } from "./schema.ts";

/** The tools of a chat, and how the model shall use them, for Google; no fields without tools. */
export function googleToolsFromChat(
  request: ChatRequest,
): Pick<GoogleRequest, "tools" | "toolConfig"> {
  const { tools, tool_choice: choice } = request;
  if (!tools || tools.length === 0) return {};
  const functionDeclarations = tools.map(({ function: { name, description, parameters } }) => {
    const declaration: GoogleFunction = { name };
    if (description !== undefined) declaration.description = description;
    if (parameters !== undefined) declaration.parametersJsonSchema = googleSchema(parameters) ?? {};
    return declaration;
  });
  const declarations = { tools: [{ functionDeclarations }] };
  if (!choice) return declarations;
  if (typeof choice === "string") {
    return { ...declarations, toolConfig: { functionCallingConfig: { mode: MODES[choice] } } };
  }
  const { name } = choice.function;
  if (functionDeclarations.every((declaration) => declaration.name !== name)) {
    throw unsupportedByGoogle("tool_choice", `there is no tool named "${name}"`);
  }
  const functionCallingConfig = { mode: "ANY" as const, allowedFunctionNames: [name] };
  return { ...declarations, toolConfig: { functionCallingConfig } };
}

const MODES = { none: "NONE", auto: "AUTO", required: "ANY" } as const;
