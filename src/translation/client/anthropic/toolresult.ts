import type { ToolResultBlock } from "../../../wire/anthropic.ts";
import type { ChatMessage, ChatPart } from "../../../wire/chat.ts";
import { attachmentLine } from "../../chat/toolresult.ts";
import { chatContent, chatPartsFromAnthropic } from "./contentparts.ts";

/**
 * The tool's message for a `tool_result`, which stands at the path `at`. Such a message can only
 * have text: images and documents are added to `attachments`, which belong into the user's message
 * that follows, behind a line that names the call.
 */
export function chatMessageFromToolResult(
  block: ToolResultBlock,
  at: string,
  attachments: ChatPart[],
): ChatMessage {
  const parts = (block.content ?? []).flatMap((part, i) =>
    chatPartsFromAnthropic(part, `${at}.content.${i}`),
  );
  const texts = parts.filter((part) => part.type === "text");
  const others = parts.filter((part) => part.type !== "text");
  if (others.length > 0) {
    attachments.push(attachmentLine(block.tool_use_id), ...others);
  }
  if (block.is_error === true) texts.unshift({ type: "text", text: "Error:" });
  return { role: "tool", tool_call_id: block.tool_use_id, content: chatContent(texts) };
}
