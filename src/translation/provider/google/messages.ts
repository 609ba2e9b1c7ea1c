import { parseObject } from "../../../lib/json.ts";
import type { ChatMessage, ToolCall } from "../../../wire/chat.ts";
import type { GoogleContent, GooglePart } from "../../../wire/google.ts";
import { parseToolArguments } from "../../chat/chunk.ts";
import {
  type ChatContent,
  googlePartsFromChat,
  googleTextPartsFromChat,
  unsupportedByGoogle,
} from "./contentparts.ts";
import { readThoughtSignature } from "./thoughtsignature.ts";

/** A conversation as Google wants it. */
export interface GoogleConversation {
  contents: GoogleContent[];
  /** What the system said, wherever it stood: Google has one place for it. */
  systemInstruction?: { parts: GooglePart[] };
}

export interface ConversationOptions {
  /** Stands in for signatures of calls that were made elsewhere; none is wanted when absent. */
  unsigned?: string | undefined;
}

/**
 * The messages of a chat for Google. Answers of tools that follow each other become one content, as
 * Google wants them. Throws `invalid_request` with `param` for what it cannot be told.
 */
export function googleContentsFromChat(
  messages: readonly ChatMessage[],
  { unsigned }: ConversationOptions = {},
): GoogleConversation {
  const system: GooglePart[] = [];
  const contents: GoogleContent[] = [];
  const names = new Map<string, string>();
  let isAnswering = false;
  for (const [at, message] of messages.entries()) {
    const place = `messages.${at}`;
    const content: ChatContent = message.content;
    if (message.role === "tool") {
      const name = names.get(message.tool_call_id);
      if (name === undefined) {
        throw unsupportedByGoogle(
          `${place}.tool_call_id`,
          "no earlier message has a tool call with this id",
        );
      }
      const parts = answerParts({ id: message.tool_call_id, name }, content, place);
      const last = isAnswering ? contents.at(-1) : undefined;
      if (last === undefined) contents.push({ role: "user", parts });
      else last.parts.push(...parts);
      isAnswering = true;
      continue;
    }
    if (message.role === "assistant") {
      for (const { id, function: called } of message.tool_calls ?? []) names.set(id, called.name);
      const parts = saidParts(message, place, unsigned);
      if (parts.length > 0) contents.push({ role: "model", parts });
    } else if (message.role === "user") {
      const parts = googlePartsFromChat(content, `${place}.content`);
      contents.push({ role: "user", parts: parts.length > 0 ? parts : [{ text: "" }] });
    } else {
      system.push(...googleTextPartsFromChat(content, `${place}.content`));
      continue;
    }
    isAnswering = false;
  }
  if (contents.length === 0) {
    throw unsupportedByGoogle("messages", "there must be one that is not the system's");
  }
  return { contents, ...(system.length > 0 ? { systemInstruction: { parts: system } } : {}) };
}

type Said = Extract<ChatMessage, { role: "assistant" }>;

/** What the model thought, said and called, with the signatures it gave. */
function saidParts(message: Said, place: string, unsigned: string | undefined): GooglePart[] {
  const { content, refusal, reasoning_content: thought, tool_calls: calls } = message;
  const texts = googlePartsFromChat(content, `${place}.content`);
  if (typeof refusal === "string" && refusal !== "") texts.push({ text: refusal });
  const signature = readThoughtSignature(message);
  const last = texts.at(-1);
  if (signature !== undefined && last !== undefined) last.thoughtSignature = signature;
  else if (signature !== undefined) texts.push({ text: "", thoughtSignature: signature });
  return [
    ...(typeof thought === "string" && thought !== "" ? [{ text: thought, thought: true }] : []),
    ...texts,
    ...(calls ?? []).map((call, at) => {
      // Google signs the first of several calls.
      const signed = readThoughtSignature(call) ?? (at === 0 ? unsigned : undefined);
      return {
        functionCall: callOf(call, `${place}.tool_calls.${at}`),
        ...(signed === undefined ? {} : { thoughtSignature: signed }),
      };
    }),
  ];
}

function callOf({ id, function: { name, arguments: text } }: ToolCall, place: string) {
  const args = parseToolArguments(text);
  if (args === undefined) {
    throw unsupportedByGoogle(
      `${place}.function.arguments`,
      "it must be the text of a JSON object",
    );
  }
  return { id, name, args };
}

function answerParts(
  call: { id: string; name: string },
  content: ChatContent,
  place: string,
): GooglePart[] {
  const parts = googlePartsFromChat(content, `${place}.content`);
  const text = parts.map((part) => part.text ?? "").join("");
  const attached = parts.filter((part) => part.text === undefined);
  return [{ functionResponse: { ...call, response: responseOf(text) } }, ...attached];
}

/**
 * A tool's answer as the object that Google wants: itself if it is one that survives being read
 * and written (large numbers do not), else its text as `output`, a key that means just that.
 */
function responseOf(text: string): Record<string, unknown> {
  const json = parseObject(text);
  const compact = text.replace(
    /("(?:[^"\\]|\\.)*")|\s+/g,
    (_, kept: string | undefined) => kept ?? "",
  );
  if (json === undefined || "output" in json || "error" in json) return { output: text };
  return JSON.stringify(json) === compact ? json : { output: text };
}
