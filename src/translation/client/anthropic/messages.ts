import type {
  DocumentBlock,
  ImageBlock,
  MessageParam,
  MessagesRequest,
  RequestBlock,
  SearchResultBlock,
  TextBlock,
  ToolResultBlock,
  ToolUseBlock,
} from "../../../wire/anthropic.ts";
import type { ChatMessage, ChatPart } from "../../../wire/chat.ts";
import { withFixedStamp } from "../../../wire/clientstamp.ts";
import { invalidField } from "../../validation.ts";

type ShownBlock = TextBlock | ImageBlock | DocumentBlock | SearchResultBlock;

/** What a PDF without a title is called: chat completions want a name. */
export const UNNAMED_PDF = "document.pdf";

/**
 * The conversation as chat messages, in order. The system text becomes one message, its blocks
 * joined by line feeds, since few chat templates take more; one block of text becomes a string. A
 * stamp of the client's before it is made the same.
 * Within a turn of the user, results of tools come first: they must follow their calls. Throws 400
 * for files that only Anthropic has, and for PDFs by address.
 */
export function chatMessagesFromAnthropic(request: MessagesRequest): ChatMessage[] {
  const { system, messages } = request;
  const first: ChatMessage[] =
    system == null || system.length === 0
      ? []
      : [{ role: "system", content: withFixedStamp(joined(system)) }];
  return [...first, ...messages.flatMap((message, i) => turn(message, `messages.${i}`))];
}

function turn({ role, content }: MessageParam, at: string): ChatMessage[] {
  switch (role) {
    case "assistant":
      return [assistantTurn(content, at)];
    case "system":
      return [
        { role, content: joined(content.map((block, i) => text(block, `${at}.content.${i}`))) },
      ];
    case "user":
      return userTurn(content, at);
  }
}

function text(block: RequestBlock, at: string): TextBlock {
  if (block.type === "text") return block;
  throw invalidField(at, "must be text: put all else into a message of the user");
}

function joined(blocks: readonly TextBlock[]): string {
  return blocks.map(({ text }) => text).join("\n");
}

function assistantTurn(blocks: readonly RequestBlock[], at: string): ChatMessage {
  const parts: ChatPart[] = [];
  const calls: ReturnType<typeof toolCall>[] = [];
  let thoughts = "";
  for (const [i, block] of blocks.entries()) {
    if (block.type === "tool_use") calls.push(toolCall(block));
    else if (block.type === "thinking") thoughts += block.thinking;
    else if (block.type === "tool_result") throw misplaced(`${at}.content.${i}`, "user");
    else if (block.type !== "redacted_thinking") {
      parts.push(...shown(block, `${at}.content.${i}`));
    }
  }
  const silent = parts.length === 0 && calls.length > 0;
  return {
    role: "assistant",
    content: silent ? null : content(parts),
    ...(thoughts === "" ? {} : { reasoning_content: thoughts }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function toolCall({ id, name, input }: ToolUseBlock) {
  const called = { name, arguments: JSON.stringify(input) };
  return { id, type: "function" as const, function: called };
}

function userTurn(blocks: readonly RequestBlock[], at: string): ChatMessage[] {
  const results: ChatMessage[] = [];
  const parts: ChatPart[] = [];
  for (const [i, block] of blocks.entries()) {
    const place = `${at}.content.${i}`;
    if (block.type === "tool_result") results.push(toolResult(block, place, parts));
    else if (isOwn(block)) throw misplaced(place, "assistant");
    else parts.push(...shown(block, place));
  }
  if (parts.length === 0 && results.length > 0) return results;
  return [...results, { role: "user", content: content(parts) }];
}

type OwnBlock = Exclude<RequestBlock, ShownBlock | ToolResultBlock>;

/** Whether only a model says such things. */
function isOwn(block: Exclude<RequestBlock, ToolResultBlock>): block is OwnBlock {
  return ["tool_use", "thinking", "redacted_thinking"].includes(block.type);
}

/**
 * A tool's message has only text. What else there is in a result follows in the user's message,
 * behind a line that says where it belongs.
 */
function toolResult(block: ToolResultBlock, at: string, attached: ChatPart[]): ChatMessage {
  const all = (block.content ?? []).flatMap((part, i) => shown(part, `${at}.content.${i}`));
  const texts = all.filter((part) => part.type === "text");
  const others = all.filter((part) => part.type !== "text");
  if (others.length > 0) {
    const text = `Attached to the result of ${block.tool_use_id}:`;
    attached.push({ type: "text", text }, ...others);
  }
  if (block.is_error === true) texts.unshift({ type: "text", text: "Error:" });
  return { role: "tool", tool_call_id: block.tool_use_id, content: content(texts) };
}

/** Everybody reads strings; lists of parts are for those who need them. */
function content(parts: ChatPart[]): string | ChatPart[] {
  const [first, second] = parts;
  if (first === undefined) return "";
  return first.type === "text" && second === undefined ? first.text : parts;
}

function shown(block: ShownBlock, at: string): ChatPart[] {
  switch (block.type) {
    case "text":
      return [{ type: "text", text: block.text }];
    case "image":
      return [{ type: "image_url", image_url: { url: imageUrl(block, at) } }];
    case "document":
      return document(block, at);
    case "search_result": {
      const text = [block.title, block.source, joined(block.content)].join("\n");
      return [{ type: "text", text }];
    }
  }
}

function imageUrl({ source }: ImageBlock, at: string): string {
  if (source.type === "url") return source.url;
  if (source.type === "base64") return `data:${source.media_type};base64,${source.data}`;
  throw invalidField(`${at}.source`, "is a file that only Anthropic has: send it as base64");
}

function document({ source, title, context }: DocumentBlock, at: string): ChatPart[] {
  const heading = [title, context].filter((text) => text != null).map((text) => `${text}\n`);
  switch (source.type) {
    case "text":
      return [{ type: "text", text: `${heading.join("")}${source.data}` }];
    case "content": {
      const parts = source.content.flatMap((block, i) => shown(block, `${at}.source.content.${i}`));
      return heading.length === 0 ? parts : [{ type: "text", text: heading.join("") }, ...parts];
    }
    case "base64": {
      const data = `data:${source.media_type};base64,${source.data}`;
      const file = { filename: title ?? UNNAMED_PDF, file_data: data };
      const about: ChatPart[] = context == null ? [] : [{ type: "text", text: context }];
      return [...about, { type: "file", file }];
    }
    default:
      throw invalidField(
        `${at}.source`,
        "is not in the request itself: send the document as base64",
      );
  }
}

function misplaced(at: string, role: string) {
  return invalidField(at, `belongs into a message of the role \`${role}\``);
}
