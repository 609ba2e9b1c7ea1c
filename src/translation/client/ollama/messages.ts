import type { ChatMessage, ToolCall } from "../../../wire/chat.ts";
import type { OllamaCall, OllamaMessage } from "../../../wire/ollama.ts";
import { withOneSystemMessage } from "../../chat/systemmessage.ts";
import { withTextResults } from "../../chat/toolresult.ts";
import { contentWithImages } from "./images.ts";

/**
 * The messages of a conversation, for chat completions; those of the system become one in front.
 * Ollama's clients need not give ids to tool calls, so they get some here; a result without an id
 * belongs to the first call of its tool that has no result yet. Throws `invalid_request` for images
 * that cannot be read.
 */
export function chatMessagesFromOllama(messages: readonly OllamaMessage[]): ChatMessage[] {
  const openCalls: ToolCall[] = [];
  let callCount = 0;
  const chatMessages = messages.map((message, i): ChatMessage => {
    const { role, content, thinking, tool_calls } = message;
    switch (role) {
      case "assistant": {
        const calls = (tool_calls ?? []).map((call) => toolCall(call, callCount++));
        openCalls.push(...calls);
        return {
          role,
          content: content || calls.length === 0 ? (content ?? "") : null,
          ...(thinking ? { reasoning_content: thinking } : {}),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        };
      }
      case "tool":
        return { role, content: shown(message, i), tool_call_id: callIdOf(message, openCalls) };
      case "user":
        return { role, content: shown(message, i) };
      default:
        return { role: "system", content: content ?? "" };
    }
  });
  return withTextResults(withOneSystemMessage(chatMessages));
}

function shown({ content, images }: OllamaMessage, i: number) {
  return contentWithImages(content ?? "", images ?? [], `messages.${i}.images`);
}

function toolCall({ id, function: { name, arguments: args } }: OllamaCall, number: number) {
  const text = typeof args === "string" ? args : JSON.stringify(args ?? {});
  const call: ToolCall = {
    id: id || `call_${number}`,
    type: "function",
    function: { name, arguments: text },
  };
  return call;
}

/** The id of the call that a result belongs to, which is removed from the open calls. */
function callIdOf({ tool_call_id, tool_name }: OllamaMessage, openCalls: ToolCall[]): string {
  const position = openCalls.findIndex(({ id, function: { name } }) =>
    tool_call_id ? id === tool_call_id : name === tool_name,
  );
  const [call] = openCalls.splice(Math.max(0, position), 1);
  return tool_call_id || (call?.id ?? "call_unknown");
}
