import { withOneSystemMessage } from "../../translation/chat/systemmessage.ts";
import type { ChatMessage } from "../../wire/chat.ts";

/**
 * Joins what system and developer say in a chat to one system message in front, as it is done where
 * other APIs become chats: many templates refuse a second one, one further behind, or a developer.
 * Returns the same object if there is nothing to join, or if the engine has to refuse it anyway.
 */
export function withOneSystem(chat: Record<string, unknown>): Record<string, unknown> {
  const { messages } = chat;
  if (!Array.isArray(messages) || isInFront(messages) || !messages.every(isMessage)) return chat;
  return { ...chat, messages: withOneSystemMessage(messages) };
}

/** Nobody but the first message speaks for the system, if any does. */
function isInFront(messages: readonly unknown[]): boolean {
  return messages.every((message, i) => {
    const role = roleOf(message);
    return role !== "developer" && (role !== "system" || i === 0);
  });
}

/** As far as joining needs it; the engine reads all others itself. */
function isMessage(message: unknown): message is ChatMessage {
  const role = roleOf(message);
  if (role !== "system" && role !== "developer") return typeof role === "string";
  const { content } = message as { content?: unknown };
  return typeof content === "string" || (Array.isArray(content) && content.every(isPart));
}

function isPart(part: unknown): boolean {
  return typeof part === "object" && part !== null;
}

function roleOf(message: unknown): unknown {
  return typeof message === "object" && message !== null && "role" in message
    ? message.role
    : undefined;
}
