import type { ChatMessage, ChatPart, ChatTool, ToolCall } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import type { OllamaCall, OllamaMessage, OllamaTool } from "../../../wire/ollama.ts";

/**
 * The messages of a conversation. Calls get ids, which Ollama's clients need not give: a result
 * belongs to the first call of its name that has none yet. Throws `invalid_request` for images
 * that are none.
 */
export function chatMessagesFromOllama(messages: readonly OllamaMessage[]): ChatMessage[] {
  const open: ToolCall[] = [];
  let calls = 0;
  return messages.map((message, i): ChatMessage => {
    const { role, content, images, thinking, tool_calls } = message;
    switch (role) {
      case "assistant": {
        const made = (tool_calls ?? []).map((call) => toolCall(call, calls++));
        open.push(...made);
        return {
          role,
          content: content || made.length === 0 ? (content ?? "") : null,
          ...(thinking ? { reasoning_content: thinking } : {}),
          ...(made.length === 0 ? {} : { tool_calls: made }),
        };
      }
      case "tool":
        return { role, content: content ?? "", tool_call_id: answeredBy(message, open) };
      case "user":
        return {
          role,
          content: contentWithImages(content ?? "", images ?? [], `messages.${i}.images`),
        };
      default:
        return { role: "system", content: content ?? "" };
    }
  });
}

/** A text and the images beside it; only a text where there are none. */
export function contentWithImages(
  text: string,
  images: readonly string[],
  at: string,
): string | ChatPart[] {
  if (images.length === 0) return text;
  const parts = images.map((image, i): ChatPart => {
    return { type: "image_url", image_url: { url: dataUrl(image, `${at}.${i}`) } };
  });
  return text === "" ? parts : [{ type: "text", text }, ...parts];
}

/** The tools that a model may call. */
export function chatToolsFromOllama(tools: readonly OllamaTool[]): ChatTool[] {
  return tools.map(({ function: { name, description, parameters } }) => ({
    type: "function",
    function: {
      name,
      ...(description ? { description } : {}),
      ...(parameters ? { parameters } : {}),
    },
  }));
}

function toolCall({ id, function: called }: OllamaCall, number: number): ToolCall {
  const { name, arguments: args } = called;
  return {
    id: id || `call_${number}`,
    type: "function",
    function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args ?? {}) },
  };
}

/** The id of the call that a result belongs to; it is not open any more. */
function answeredBy({ tool_call_id, tool_name }: OllamaMessage, open: ToolCall[]): string {
  const named = open.findIndex(({ id, function: { name } }) =>
    tool_call_id ? id === tool_call_id : name === tool_name,
  );
  const [call] = open.splice(Math.max(0, named), 1);
  return tool_call_id || (call?.id ?? "call_unknown");
}

/** How the four kinds of images begin, in base64. */
const BEGINNINGS = [
  ["/9j/", "image/jpeg"],
  ["iVBORw0KGgo", "image/png"],
  ["R0lGOD", "image/gif"],
  ["UklGR", "image/webp"],
] as const;

function dataUrl(image: string, param: string): string {
  if (image.startsWith("data:")) return image;
  const type = BEGINNINGS.find(([beginning]) => image.startsWith(beginning))?.[1];
  if (type !== undefined) return `data:${type};base64,${image}`;
  const message = `The image could not be read: \`${param}\` is no JPEG, PNG, GIF or WebP in \
base64.`;
  throw new ApiError("invalid_request", message, { code: "invalid_image", param });
}
