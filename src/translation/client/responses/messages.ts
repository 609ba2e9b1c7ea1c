import type { ChatMessage, ChatPart } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import {
  FunctionCallItem,
  FunctionOutputItem,
  type InputItem,
  type InputPart,
  MessageItem,
  ReasoningItem,
} from "../../../wire/responses.ts";
import { parseRequest } from "../../validation.ts";
import { AssistantMessage } from "./assistantmessage.ts";

/**
 * The messages of a conversation that is given as items. What belongs to one turn of the model
 * (reasoning, text, calls) becomes one message. Throws `invalid_request` for other items.
 */
export function chatMessagesFromItems(input: string | readonly InputItem[]): ChatMessage[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  const messages: ChatMessage[] = [];
  let turn = new AssistantMessage();
  const endTurn = () => {
    const message = turn.message();
    if (message !== undefined) messages.push(message);
    turn = new AssistantMessage();
  };
  for (const [i, item] of input.entries()) {
    const at = `input.${i}`;
    const type = item.type ?? "message";
    if (type === "reasoning") {
      if (turn.isAnswered) endTurn();
      turn.think(thoughtOf(item, at));
    } else if (type === "function_call") {
      const { call_id: id, name, arguments: args } = parseRequest(FunctionCallItem, item, at);
      turn.call({ id, type: "function", function: { name, arguments: args } });
    } else if (type === "function_call_output") {
      endTurn();
      const { call_id, output } = parseRequest(FunctionOutputItem, item, at);
      messages.push({ role: "tool", tool_call_id: call_id, content: contentOf(output, at) });
    } else if (type === "message") {
      const { role, content } = parseRequest(MessageItem, item, at);
      if (role !== "assistant" || turn.isAnswered) endTurn();
      if (role === "assistant") turn.say(partsOf(content, at));
      else messages.push(messageOf(role, contentOf(content, at)));
    } else {
      throw unsupported(at, `items of type \`${type}\``);
    }
  }
  endTurn();
  return messages;
}

/** Chat templates know `system`; `developer` is OpenAI's newer word for the same. */
function messageOf(role: "user" | "system" | "developer", content: string | ChatPart[]) {
  return role === "user" ? { role, content } : { role: "system" as const, content };
}

/** Its whole text where that is given, else the short one. Nobody here can read encrypted ones. */
function thoughtOf(item: unknown, at: string): string {
  const { content, summary } = parseRequest(ReasoningItem, item, at);
  const texts = content?.length ? content : summary;
  return (texts ?? []).map(({ text }) => text).join("\n");
}

/** Content with only a text is a string, which every server takes. */
function contentOf(content: string | InputPart[], at: string): string | ChatPart[] {
  if (typeof content === "string") return content;
  const parts = partsOf(content, at);
  const [first] = parts;
  if (first === undefined) return "";
  return parts.length === 1 && first.type === "text" ? first.text : parts;
}

function partsOf(content: string | InputPart[], at: string): ChatPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return content.map((part, i) => partOf(part, `${at}.content.${i}`));
}

function partOf(part: InputPart, at: string): ChatPart {
  switch (part.type) {
    case "input_image": {
      const { image_url: url, detail } = part;
      if (url === undefined || url === null) throw unsupported(at, "images given by `file_id`");
      return { type: "image_url", image_url: { url, ...(detail ? { detail } : {}) } };
    }
    case "input_file": {
      const { file_data, filename } = part;
      if (file_data === undefined || file_data === null) {
        throw unsupported(at, "files given by `file_id` or `file_url`");
      }
      return { type: "file", file: { file_data, ...(filename ? { filename } : {}) } };
    }
    case "input_audio":
      return { type: "input_audio", input_audio: part.input_audio };
    case "refusal":
      return { type: "refusal", refusal: part.refusal };
    default:
      return { type: "text", text: part.text };
  }
}

function unsupported(param: string, what: string): ApiError {
  const message = `The response cannot be made: the endpoints of this model speak chat \
completions, which have no ${what}. Take \`${param}\` out, or send its content.`;
  return new ApiError("invalid_request", message, { code: "unsupported_value", param });
}
