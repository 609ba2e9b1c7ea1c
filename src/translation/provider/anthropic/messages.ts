import { z } from "zod";
import { RedactedThinkingBlock, ThinkingBlock } from "../../../wire/anthropic.ts";
import type { ChatMessage, ToolCall } from "../../../wire/chat.ts";
import { parseToolArguments } from "../../chat/chunk.ts";
import { invalidField } from "../../validation.ts";
import { type AnthropicBlock, anthropicBlocksFromChat } from "./contentblocks.ts";
import { anthropicToolId } from "./toolid.ts";

/** One side's part of a conversation, up to where the other side speaks. */
export interface AnthropicMessage {
  role: "user" | "assistant";
  content: AnthropicBlock[];
}

export interface AnthropicConversation {
  system: string | AnthropicBlock[] | undefined;
  turns: AnthropicMessage[];
}

/**
 * A chat as Anthropic takes it: what system and developer say stands before all else, joined
 * by line feeds (in blocks only where the client marks some for the cache); whoever speaks several
 * times in a row has one turn; results of tools stand first in theirs. Names of speakers are left
 * out. Throws 400 that names what cannot be said.
 */
export function anthropicMessagesFromChat(messages: readonly ChatMessage[]): AnthropicConversation {
  const system: AnthropicBlock[] = [];
  const turns: AnthropicMessage[] = [];
  for (const [i, message] of messages.entries()) {
    const at = `messages.${i}`;
    if (isDirective(message)) {
      system.push(
        ...texts(anthropicBlocksFromChat(message.content, `${at}.content`), `${at}.content`),
      );
    } else {
      add(turns, message, at);
    }
  }
  if (turns.length === 0) {
    throw invalidField(
      "messages",
      "say nothing but what the system says: add a message of the user",
    );
  }
  return { system: systemOf(system), turns };
}

type Directive = Extract<ChatMessage, { role: "system" | "developer" }>;

function isDirective(message: ChatMessage): message is Directive {
  return message.role === "system" || message.role === "developer";
}

function add(turns: AnthropicMessage[], message: Spoken | Result, at: string): void {
  const role = message.role === "assistant" ? "assistant" : "user";
  const content = message.role === "tool" ? [toolResult(message, at)] : spoken(message, at);
  if (content.length === 0) return;
  const last = turns.at(-1);
  if (last?.role !== role) turns.push({ role, content });
  else last.content = inOrder([...last.content, ...content]);
}

function texts(blocks: AnthropicBlock[], at: string): AnthropicBlock[] {
  if (blocks.every(({ type }) => type === "text")) return blocks;
  throw invalidField(at, "must be text: put images and files into a message of the user");
}

function systemOf(blocks: AnthropicBlock[]): string | AnthropicBlock[] | undefined {
  if (blocks.length === 0) return undefined;
  if (blocks.some((block) => block.cache_control !== undefined)) return blocks;
  return blocks.map(({ text }) => text).join("\n");
}

function inOrder(blocks: AnthropicBlock[]): AnthropicBlock[] {
  const isResult = ({ type }: AnthropicBlock) => type === "tool_result";
  return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
}

type Spoken = Extract<ChatMessage, { role: "user" } | { role: "assistant" }>;
type Result = Extract<ChatMessage, { role: "tool" }>;

function toolResult({ tool_call_id: id, content }: Result, at: string): AnthropicBlock {
  const blocks = anthropicBlocksFromChat(content, `${at}.content`);
  const [first, second] = blocks;
  const plain = first?.type === "text" && second === undefined && !("cache_control" in first);
  return {
    type: "tool_result",
    tool_use_id: anthropicToolId(id),
    ...(first === undefined ? {} : { content: plain ? first.text : blocks }),
  };
}

function spoken(message: Spoken, at: string): AnthropicBlock[] {
  const said = anthropicBlocksFromChat(message.content, `${at}.content`);
  if (message.role === "user") return said;
  const refused = message.content == null ? anthropicBlocksFromChat(message.refusal, at) : [];
  const calls = (message.tool_calls ?? []).map((call, i) => toolUse(call, `${at}.tool_calls.${i}`));
  return [...signedThoughts(message.thinking_blocks), ...said, ...refused, ...calls];
}

const Thoughts = z.array(
  z.discriminatedUnion("type", [
    ThinkingBlock.extend({ signature: z.string().min(1) }),
    RedactedThinkingBlock,
  ]),
);

/**
 * Thoughts go back to Anthropic only with the signature that came with them, in the field where
 * our answers have them; `reasoning_content` alone is left out.
 */
function signedThoughts(value: unknown): AnthropicBlock[] {
  return Thoughts.safeParse(value).data ?? [];
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

/** Whether the last call of tools comes without the thoughts that led to it. */
export function hasCallWithoutThinking(turns: readonly AnthropicMessage[]): boolean {
  const last = turns.findLast(({ role }) => role === "assistant");
  if (last === undefined || !last.content.some(({ type }) => type === "tool_use")) return false;
  return !/thinking$/.test(last.content[0]?.type ?? "");
}
