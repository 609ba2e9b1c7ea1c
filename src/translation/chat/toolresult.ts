import type { ChatMessage, ChatPart } from "../../wire/chat.ts";

type Result = Extract<ChatMessage, { role: "tool" }>;

/**
 * The same conversation with nothing but text in results of tools, which is all that a tool's
 * message may have. What else was in them is shown in the user's message behind them, after a line
 * that says where it belongs.
 */
export function withTextResults(messages: readonly ChatMessage[]): ChatMessage[] {
  const told: ChatMessage[] = [];
  let attached: ChatPart[] = [];
  for (const message of messages) {
    if (message.role === "tool") {
      told.push(textOnly(message, attached));
      continue;
    }
    if (attached.length === 0) {
      told.push(message);
    } else if (message.role === "user") {
      told.push({ ...message, content: [...attached, ...partsOf(message.content)] });
    } else {
      told.push({ role: "user", content: attached }, message);
    }
    attached = [];
  }
  if (attached.length > 0) told.push({ role: "user", content: attached });
  return told;
}

/** The line before what was in a result of a tool and is no text. */
export function attachmentLine(callId: string): ChatPart {
  return { type: "text", text: `Attached to the result of ${callId}:` };
}

function textOnly(result: Result, attached: ChatPart[]): Result {
  if (typeof result.content === "string") return result;
  const texts = result.content.filter(({ type }) => type === "text");
  if (texts.length === result.content.length) return result;
  const others = result.content.filter(({ type }) => type !== "text");
  attached.push(attachmentLine(result.tool_call_id), ...others);
  const [first, second] = texts;
  if (first === undefined) return { ...result, content: "" };
  return { ...result, content: first.type === "text" && !second ? first.text : texts };
}

function partsOf(content: string | readonly ChatPart[]): readonly ChatPart[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}
