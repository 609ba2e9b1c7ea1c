import type { ChatMessage, ChatPart } from "../../../wire/chat.ts";
import {
  FunctionCallItem,
  FunctionOutputItem,
  type InputItem,
  MessageItem,
  ReasoningItem,
} from "../../../wire/responses.ts";
import { parseRequest } from "../../validation.ts";
import { AssistantMessage } from "./assistantmessage.ts";
import { chatContentFromInput, chatPartsFromInput } from "./contentparts.ts";
import { unsupportedItem } from "./errors.ts";

/**
 * The messages of a conversation, for chat completions. Items of the model that follow each other
 * (reasoning, text, calls) become one message. Throws `invalid_request` for items of other types.
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
    if (type === "reasoning") {
      if (assistant.isComplete) endAssistant();
      assistant.addReasoning(itemReasoning(item, at));
    } else if (type === "function_call") {
      const { call_id: id, name, arguments: args } = parseRequest(FunctionCallItem, item, at);
      assistant.addToolCall({ id, type: "function", function: { name, arguments: args } });
    } else if (type === "function_call_output") {
      endAssistant();
      messages.push(toolResult(item, at));
    } else if (type === "message") {
      const { role, content } = parseRequest(MessageItem, item, at);
      if (role !== "assistant" || assistant.isComplete) endAssistant();
      if (role === "assistant") assistant.addContent(chatPartsFromInput(content, at));
      else messages.push(otherMessage(role, chatContentFromInput(content, at)));
    } else {
      throw unsupportedItem(at, `items of type \`${type}\``);
    }
  }
  endAssistant();
  return messages;
}

function toolResult(item: InputItem, at: string): ChatMessage {
  const { call_id, output } = parseRequest(FunctionOutputItem, item, at);
  return { role: "tool", tool_call_id: call_id, content: chatContentFromInput(output, at) };
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
