import { ChatCompletion, type ToolCall } from "../../wire/chat.ts";
import { argumentsOf, thoughtOf } from "../chatevent.ts";
import { messageId, newId } from "../ids.ts";
import { nonsense, readAnswer } from "../reading.ts";
import { endingOf, messagesUsage } from "./ending.ts";
import type { Asked } from "./messages.ts";

/**
 * The message for a chat completion: its thoughts, its text, its calls. A call that was cut short
 * by the token limit is left out. Throws `upstream` for answers without a choice, and for calls
 * whose arguments are no JSON object.
 */
export function messageOf(json: unknown, asked: Asked): object {
  const completion = readAnswer(ChatCompletion, json);
  const choice = completion.choices[0];
  if (choice === undefined) throw nonsense("it has no choice");
  const { message, finish_reason: reason } = choice;
  const thinking = thoughtOf(message);
  const text = `${message.content ?? ""}${message.refusal ?? ""}`;
  const calls = (message.tool_calls ?? []).flatMap((call) => toolUse(call, reason === "length"));
  return {
    id: messageId(completion.id),
    type: "message",
    role: "assistant",
    model: asked.model,
    content: [
      ...(thinking === "" ? [] : [{ type: "thinking", thinking, signature: "" }]),
      ...(text === "" ? [] : [{ type: "text", text }]),
      ...calls,
    ],
    ...endingOf({ choice, hasCalls: calls.length > 0, stopSequences: asked.stopSequences }),
    usage: messagesUsage(completion.usage),
  };
}

function toolUse({ id, function: { name, arguments: text } }: ToolCall, cut: boolean) {
  const input = argumentsOf(text);
  if (input !== undefined) {
    return [{ type: "tool_use", id: id === "" ? newId("toolu_") : id, name, input }];
  }
  if (cut) return [];
  throw nonsense(`the arguments of its call of ${JSON.stringify(name)} are no JSON object`);
}
