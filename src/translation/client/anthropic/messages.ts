import type {
  MessageParam,
  MessagesRequest,
  RequestBlock,
  TextBlock,
  ToolResultBlock,
  ToolUseBlock,
} from "../../../wire/anthropic.ts";
import type { ChatMessage, ChatPart, ToolCall } from "../../../wire/chat.ts";
import { withFixedStamp } from "../../../wire/clientstamp.ts";
import { withOneSystemMessage } from "../../chat/systemmessage.ts";
import { invalidField } from "../../errors.ts";
import {
  chatContent,
  chatPartsFromAnthropic,
  joinedText,
  type ReadableBlock,
} from "./contentparts.ts";
import { chatMessageFromToolResult } from "./toolresult.ts";

/**
 * The messages of the chat, in order. The system text and the system's messages become one, joined
 * by line feeds, since few chat templates take more than one; a stamp of the client's before it is
 * made the same. Of a user's message the tool results come first: they must follow their calls.
 * Blocks of unknown types are left out. Throws `invalid_request` if there are no others, for files
 * that only Anthropic has, for documents by address, and for blocks in a message of the wrong role.
 */
export function chatMessagesFromAnthropic(request: MessagesRequest): ChatMessage[] {
  const { system, messages } = request;
  refuseNothingElse(messages);
  const first: ChatMessage[] =
    system == null || system.length === 0
      ? []
      : [{ role: "system", content: withFixedStamp(joinedText(system)) }];
  const others = messages.flatMap((message, i) => chatMessages(message, `messages.${i}`));
  return withOneSystemMessage([...first, ...others]);
}

function refuseNothingElse(messages: readonly MessageParam[]): void {
  const [first, ...more] = messages.flatMap(({ content }, i) =>
    content.map((block, j) => ({ block, at: `messages.${i}.content.${j}.type` })),
  );
  if (first?.block.type !== "other" || more.some(({ block }) => block.type !== "other")) return;
  const why = "which this model's endpoint cannot be asked";
  throw invalidField(first.at, `is ${JSON.stringify(first.block.named.slice(0, 80))}, ${why}`);
}

function chatMessages({ role, content }: MessageParam, at: string): ChatMessage[] {
  switch (role) {
    case "assistant":
      return [assistantMessage(content, at)];
    case "system": {
      const texts = content.flatMap((block, i) => textBlocks(block, `${at}.content.${i}`));
      return [{ role, content: joinedText(texts) }];
    }
    case "user":
      return userMessages(content, at);
  }
}

function textBlocks(block: RequestBlock, at: string): TextBlock[] {
  if (block.type === "text") return [block];
  if (block.type === "other") return [];
  throw invalidField(at, "must be text: put all else into a message of the user");
}

function assistantMessage(blocks: readonly RequestBlock[], at: string): ChatMessage {
  const parts: ChatPart[] = [];
  const calls: ToolCall[] = [];
  let reasoning = "";
  for (const [i, block] of blocks.entries()) {
    if (block.type === "tool_use") calls.push(toolCall(block));
    else if (block.type === "thinking") reasoning += block.thinking;
    else if (block.type === "tool_result") throw wrongRole(`${at}.content.${i}`, "user");
    else if (block.type !== "redacted_thinking") {
      parts.push(...chatPartsFromAnthropic(block, `${at}.content.${i}`));
    }
  }
  const hasCallsOnly = parts.length === 0 && calls.length > 0;
  return {
    role: "assistant",
    content: hasCallsOnly ? null : chatContent(parts),
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function toolCall({ id, name, input }: ToolUseBlock): ToolCall {
  return { id, type: "function", function: { name, arguments: JSON.stringify(input) } };
}

function userMessages(blocks: readonly RequestBlock[], at: string): ChatMessage[] {
  const results: ChatMessage[] = [];
  const parts: ChatPart[] = [];
  for (const [i, block] of blocks.entries()) {
    const place = `${at}.content.${i}`;
    if (block.type === "tool_result") results.push(chatMessageFromToolResult(block, place, parts));
    else if (isModelBlock(block)) throw wrongRole(place, "assistant");
    else parts.push(...chatPartsFromAnthropic(block, place));
  }
  if (parts.length === 0 && results.length > 0) return results;
  return [...results, { role: "user", content: chatContent(parts) }];
}

type ModelBlock = Exclude<RequestBlock, ReadableBlock | ToolResultBlock>;

/** Whether only a model writes such blocks: calls and thinking. */
function isModelBlock(block: Exclude<RequestBlock, ToolResultBlock>): block is ModelBlock {
  return ["tool_use", "thinking", "redacted_thinking"].includes(block.type);
}

function wrongRole(at: string, role: string) {
  return invalidField(at, `belongs into a message of the role \`${role}\``);
}
