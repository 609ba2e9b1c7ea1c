import type { ChatMessage, ToolCall } from "../../../wire/chat.ts";
import type { GoogleContent, GooglePart } from "../../../wire/google.ts";
import { parseToolArguments } from "../../chat/toolarguments.ts";
import { googlePartsFromChat, googleTextPartsFromChat } from "./contentparts.ts";
import { unsupportedByGoogle } from "./errors.ts";
import { readThoughtSignature } from "./thoughtsignature.ts";
import { googleToolResult } from "./toolresult.ts";

/** The messages for Google, and the system text, for which Google has one place only. */
interface GoogleConversation {
  contents: GoogleContent[];
  systemInstruction?: { parts: GooglePart[] };
}

/**
 * The messages of a chat for Google. Tool results that follow each other become one content, as
 * Google requires it. `placeholder` is the signature of calls that have none. Throws
 * `invalid_request` with `param` for what Google cannot be asked.
 */
export function googleContentsFromChat(
  messages: readonly ChatMessage[],
  placeholder?: string,
): GoogleConversation {
  const system: GooglePart[] = [];
  const contents: GoogleContent[] = [];
  const callNames = new Map<string, string>();
  let isAfterResult = false;
  for (const [i, message] of messages.entries()) {
    const at = `messages.${i}`;
    if (message.role === "tool") {
      const { tool_call_id: id, content } = message;
      const name = callNames.get(id);
      if (name === undefined) {
        const reason = "no earlier message has a tool call with this id";
        throw unsupportedByGoogle(`${at}.tool_call_id`, reason);
      }
      const parts = googleToolResult({ id, name }, content, at);
      const last = isAfterResult ? contents.at(-1) : undefined;
      if (last === undefined) contents.push({ role: "user", parts });
      else last.parts.push(...parts);
      isAfterResult = true;
      continue;
    }
    if (message.role === "assistant") {
      for (const call of message.tool_calls ?? []) callNames.set(call.id, call.function.name);
      const parts = assistantParts(message, at, placeholder);
      if (parts.length > 0) contents.push({ role: "model", parts });
    } else if (message.role === "user") {
      const parts = googlePartsFromChat(message.content, `${at}.content`);
      contents.push({ role: "user", parts: parts.length > 0 ? parts : [{ text: "" }] });
    } else {
      system.push(...googleTextPartsFromChat(message.content, `${at}.content`));
      continue;
    }
    isAfterResult = false;
  }
  if (contents.length === 0) {
    throw unsupportedByGoogle("messages", "there must be one that is not the system's");
  }
  return { contents, ...(system.length > 0 ? { systemInstruction: { parts: system } } : {}) };
}

/** The thinking, content and calls of the model, with their signatures. */
function assistantParts(
  message: Extract<ChatMessage, { role: "assistant" }>,
  at: string,
  placeholder: string | undefined,
): GooglePart[] {
  const { content, refusal, reasoning_content: reasoning, tool_calls: calls } = message;
  const parts = googlePartsFromChat(content, `${at}.content`);
  if (typeof refusal === "string" && refusal !== "") parts.push({ text: refusal });
  const signature = readThoughtSignature(message);
  const last = parts.at(-1);
  if (signature !== undefined && last !== undefined) last.thoughtSignature = signature;
  else if (signature !== undefined) parts.push({ text: "", thoughtSignature: signature });
  return [
    ...(typeof reasoning === "string" && reasoning !== ""
      ? [{ text: reasoning, thought: true }]
      : []),
    ...parts,
    ...(calls ?? []).map((call, i) => {
      // Google signs the first of several calls.
      const callSignature = readThoughtSignature(call) ?? (i === 0 ? placeholder : undefined);
      return {
        functionCall: functionCall(call, `${at}.tool_calls.${i}`),
        ...(callSignature === undefined ? {} : { thoughtSignature: callSignature }),
      };
    }),
  ];
}

function functionCall({ id, function: { name, arguments: text } }: ToolCall, at: string) {
  const args = parseToolArguments(text);
  if (args === undefined) {
    throw unsupportedByGoogle(`${at}.function.arguments`, "it must be the text of a JSON object");
  }
  return { id, name, args };
}
