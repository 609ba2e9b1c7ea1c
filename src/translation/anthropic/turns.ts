import { z } from "zod";
import { RedactedThinkingBlock, ThinkingBlock } from "../../wire/anthropic.ts";
import type { ChatMessage, ToolCall } from "../../wire/chat.ts";
import { argumentsOf } from "../chatevent.ts";
import { refusal } from "../reading.ts";
import { toolId } from "./id.ts";
import { type Block, blocksOf } from "./parts.ts";

/** One side's part of a conversation, up to where the other side speaks. */
export interface Turn {
  role: "user" | "assistant";
  content: Block[];
}

export interface Conversation {
  system: string | Block[] | undefined;
  turns: Turn[];
}

/**
 * A chat as Anthropic takes it: what system and developer say stands before all else, joined
 * by line feeds (in blocks only where the client marks some for the cache); whoever speaks several
 * times in a row has one turn; results of tools stand first in theirs. Names of speakers are left
 * out. Throws 400 that names what cannot be said.
 */
export function conversationOf(messages: readonly ChatMessage[]): Conversation {
  const system: Block[] = [];
  const turns: Turn[] = [];
  for (const [i, message] of messages.entries()) {
    const at = `messages.${i}`;
    if (isDirective(message)) {
      system.push(...texts(blocksOf(message.content, `${at}.content`), `${at}.content`));
    } else {
      add(turns, message, at);
    }
  }
  if (turns.length === 0) {
    throw refusal("messages", "say nothing but what the system says: add a message of the user");
  }
  return { system: systemOf(system), turns };
}

type Directive = Extract<ChatMessage, { role: "system" | "developer" }>;

function isDirective(message: ChatMessage): message is Directive {
  return message.role === "system" || message.role === "developer";
}

function add(turns: Turn[], message: Spoken | Result, at: string): void {
  const role = message.role === "assistant" ? "assistant" : "user";
  const content = message.role === "tool" ? [toolResult(message, at)] : spoken(message, at);
  if (content.length === 0) return;
  const last = turns.at(-1);
  if (last?.role !== role) turns.push({ role, content });
  else last.content = inOrder([...last.content, ...content]);
}

function texts(blocks: Block[], at: string): Block[] {
  if (blocks.every(({ type }) => type === "text")) return blocks;
  throw refusal(at, "must be text: put images and files into a message of the user");
}

function systemOf(blocks: Block[]): string | Block[] | undefined {
  if (blocks.length === 0) return undefined;
  if (blocks.some((block) => block.cache_control !== undefined)) return blocks;
  return blocks.map(({ text }) => text).join("\n");
}

function inOrder(blocks: Block[]): Block[] {
  const isResult = ({ type }: Block) => type === "tool_result";
  return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
}

type Spoken = Extract<ChatMessage, { role: "user" } | { role: "assistant" }>;
type Result = Extract<ChatMessage, { role: "tool" }>;

function toolResult({ tool_call_id: id, content }: Result, at: string): Block {
  const blocks = blocksOf(content, `${at}.content`);
  const [first, second] = blocks;
  const plain = first?.type === "text" && second === undefined && !("cache_control" in first);
  return {
    type: "tool_result",
    tool_use_id: toolId(id),
    ...(first === undefined ? {} : { content: plain ? first.text : blocks }),
  };
}

function spoken(message: Spoken, at: string): Block[] {
  const said = blocksOf(message.content, `${at}.content`);
  if (message.role === "user") return said;
  const refused = message.content == null ? blocksOf(message.refusal, at) : [];
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
function signedThoughts(value: unknown): Block[] {
  return Thoughts.safeParse(value).data ?? [];
}

function toolUse({ id, function: { name, arguments: text } }: ToolCall, at: string): Block {
  const input = argumentsOf(text);
  if (input === undefined) {
    throw refusal(`${at}.function.arguments`, "must be a JSON object, as text");
  }
  return { type: "tool_use", id: toolId(id), name, input };
}

/** Whether the last call of tools comes without the thoughts that led to it. */
export function hasBareCall(turns: readonly Turn[]): boolean {
  const last = turns.findLast(({ role }) => role === "assistant");
  if (last === undefined || !last.content.some(({ type }) => type === "tool_use")) return false;
  return !/thinking$/.test(last.content[0]?.type ?? "");
}
