import type { ChatMessage, ToolCall } from "../../../wire/chat.ts";
import { parseToolArguments } from "../../chat/toolarguments.ts";
import { invalidField } from "../../errors.ts";
import { type AnthropicBlock, anthropicBlocksFromChat } from "./contentblocks.ts";
import { readSignedThinking } from "./signedthinking.ts";
import { anthropicToolId } from "./toolid.ts";
import { anthropicToolResult } from "./toolresult.ts";

/** A message for Anthropic. Messages of one role never follow each other. */
interface AnthropicMessage {
  role: "user" | "assistant";
  content: AnthropicBlock[];
}

/** The messages for Anthropic, and the system text, which is not one of them. */
interface AnthropicConversation {
  system: string | AnthropicBlock[] | undefined;
  messages: AnthropicMessage[];
}

/**
 * The messages of a chat for Anthropic. All messages of the roles `system` and `developer` become
 * the system text, joined by line feeds (a list of blocks only if the client marks some for the
 * cache). Messages of one role that follow each other become one; tool results come first in it.
 * Names of speakers are left out. Throws `invalid_request` for what Anthropic does not take.
 */
export function anthropicMessagesFromChat(chat: readonly ChatMessage[]): AnthropicConversation {
  const system: AnthropicBlock[] = [];
  const messages: AnthropicMessage[] = [];
  for (const [i, message] of chat.entries()) {
    const at = `messages.${i}`;
    if (isSystem(message)) {
      const content = `${at}.content`;
      system.push(...onlyTexts(anthropicBlocksFromChat(message.content, content), content));
    } else {
      append(messages, message, at);
    }
  }
  if (messages.length === 0) {
    throw invalidField(
      "messages",
      "say nothing but what the system says: add a message of the user",
    );
  }
  return { system: systemText(system), messages };
}

type SystemMessage = Extract<ChatMessage, { role: "system" | "developer" }>;
type ToolMessage = Extract<ChatMessage, { role: "tool" }>;
type SpeakerMessage = Extract<ChatMessage, { role: "user" } | { role: "assistant" }>;

function isSystem(message: ChatMessage): message is SystemMessage {
  return message.role === "system" || message.role === "developer";
}

function append(
  messages: AnthropicMessage[],
  message: SpeakerMessage | ToolMessage,
  at: string,
): void {
  const role = message.role === "assistant" ? "assistant" : "user";
  const content =
    message.role === "tool" ? [anthropicToolResult(message, at)] : speakerBlocks(message, at);
  if (content.length === 0) return;
  const last = messages.at(-1);
  if (last?.role !== role) messages.push({ role, content });
  else last.content = resultsFirst([...last.content, ...content]);
}

function onlyTexts(blocks: AnthropicBlock[], at: string): AnthropicBlock[] {
  if (blocks.every(({ type }) => type === "text")) return blocks;
  throw invalidField(at, "must be text: put images and files into a message of the user");
}

function systemText(blocks: AnthropicBlock[]): string | AnthropicBlock[] | undefined {
  if (blocks.length === 0) return undefined;
  if (blocks.some((block) => block.cache_control !== undefined)) return blocks;
  return blocks.map(({ text }) => text).join("\n");
}

function resultsFirst(blocks: AnthropicBlock[]): AnthropicBlock[] {
  const isResult = ({ type }: AnthropicBlock) => type === "tool_result";
  return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
}

function speakerBlocks(message: SpeakerMessage, at: string): AnthropicBlock[] {
  const content = anthropicBlocksFromChat(message.content, `${at}.content`);
  if (message.role === "user") return content;
  const refusal = message.content == null ? anthropicBlocksFromChat(message.refusal, at) : [];
  const calls = (message.tool_calls ?? []).map((call, i) => toolUse(call, `${at}.tool_calls.${i}`));
  return [...readSignedThinking(message.thinking_blocks), ...content, ...refusal, ...calls];
}

function toolUse(
  { id, function: { name, arguments: text } }: ToolCall,
  at: string,
): AnthropicBlock {
  const input = parseToolArguments(text);
  if (input === undefined) {
    throw invalidField(`${at}.function.arguments`, "must be a JSON object, as text");
  }
  return { type: "tool_use", id: anthropicToolId(id), name, input };
}

/** Whether the last message with tool calls has lost the thinking that led to them. */
export function hasCallWithoutThinking(messages: readonly AnthropicMessage[]): boolean {
  const last = messages.findLast(({ role }) => role === "assistant");
  if (last === undefined || !last.content.some(({ type }) => type === "tool_use")) return false;
  return !/thinking$/.test(last.content[0]?.type ?? "");
}
