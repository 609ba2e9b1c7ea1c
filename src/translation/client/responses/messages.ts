import type { ChatMessage, ChatPart } from "../../../wire/chat.ts";
import { type InputItem, MessageItem, ReasoningItem } from "../../../wire/responses.ts";
import { parseRequest } from "../../validation.ts";
import { AssistantMessage } from "./assistantmessage.ts";
import { callOf, resultOf } from "./calls.ts";
import { chatContentFromInput, chatPartsFromInput } from "./contentparts.ts";
import { unsupportedItem } from "./errors.ts";

/**
 * Items that stand in histories and say nothing to a model that only chats: what OpenAI's own tools
 * did, what only OpenAI can read. Clients keep them for good, so they are passed over.
 */
const SILENT = new Set([
  ...["web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"],
  ...["mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response"],
  ...["tool_search_call", "tool_search_output", "additional_tools"],
  ...["compaction", "compaction_summary", "compaction_trigger", "context_compaction"],
  "ghost_snapshot",
]);

/**
 * The messages of a conversation, for chat completions. Items of the model that follow each other
 * (reasoning, text, calls) become one message. Throws `invalid_request` for items of unknown types.
 */
export function chatMessagesFromItems(input: string | readonly InputItem[]): ChatMessage[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  const messages: ChatMessage[] = [];
  let assistant = new AssistantMessage();
  const endAssistant = () => {
    const message = assistant.chatMessage();
    if (message !== undefined) messages.push(message);
    assistant = new AssistantMessage();
  };
  for (const [i, item] of input.entries()) {
    const at = `input.${i}`;
    const type = item.type ?? "message";
    const call = callOf(type, item, at);
    const result = resultOf(type, item, at);
    if (call !== undefined) {
      assistant.addToolCall(call);
    } else if (result !== undefined) {
      endAssistant();
      const content = chatContentFromInput(result.output, at);
      messages.push({ role: "tool", tool_call_id: result.id, content });
    } else if (type === "reasoning") {
      if (assistant.isComplete) endAssistant();
      assistant.addReasoning(itemReasoning(item, at));
    } else if (type === "message") {
      const { role, content } = parseRequest(MessageItem, item, at);
      if (role !== "assistant" || assistant.isComplete) endAssistant();
      if (role === "assistant") assistant.addContent(chatPartsFromInput(content, at));
      else messages.push(otherMessage(role, chatContentFromInput(content, at)));
    } else if (!SILENT.has(type)) {
      throw unsupportedItem(at, `items of type \`${type}\``);
    }
  }
  endAssistant();
  return messages;
}

/** Chat templates know `system`; `developer` is OpenAI's newer word for the same. */
function otherMessage(role: "user" | "system" | "developer", content: string | ChatPart[]) {
  return role === "user" ? { role, content } : { role: "system" as const, content };
}

/** The whole reasoning if the item has it, else its summary; encrypted reasoning is left out. */
function itemReasoning(item: InputItem, at: string): string {
  const { content, summary } = parseRequest(ReasoningItem, item, at);
  const texts = content?.length ? content : summary;
  return (texts ?? []).map(({ text }) => text).join("\n");
}
