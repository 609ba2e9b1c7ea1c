import type { ChatMessage } from "../../../wire/chat.ts";
import { type AnthropicBlock, anthropicBlocksFromChat } from "./contentblocks.ts";
import { anthropicToolId } from "./toolid.ts";

/** The `tool_result` block for a tool's message, which stands at the path `at`. */
export function anthropicToolResult(
  { tool_call_id: id, content }: Extract<ChatMessage, { role: "tool" }>,
  at: string,
): AnthropicBlock {
  const blocks = anthropicBlocksFromChat(content, `${at}.content`);
  const [first, second] = blocks;
  const isPlain = first?.type === "text" && second === undefined && !("cache_control" in first);
  return {
    type: "tool_result",
    tool_use_id: anthropicToolId(id),
    ...(first === undefined ? {} : { content: isPlain ? first.text : blocks }),
  };
}
