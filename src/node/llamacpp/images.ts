import { ApiError } from "../../wire/error.ts";
import { isObject } from "./schemaparts.ts";

const HEAD = /^data:[^,]{0,100},/i;

/**
 * Writes the heads of data URLs in lower case, in which alone the engine knows them: a scheme and a
 * type have no case. Throws 400 for an `image_url` that is no object. Returns the same object if
 * there is nothing to change.
 */
export function withPlainDataUrls(chat: Record<string, unknown>): Record<string, unknown> {
  const { messages } = chat;
  if (!Array.isArray(messages)) return chat;
  const changed = messages.map((message, index) => plainMessage(message, `messages.${index}`));
  const isSame = changed.every((message, index) => message === messages[index]);
  return isSame ? chat : { ...chat, messages: changed };
}

function plainMessage(message: unknown, at: string): unknown {
  if (!isObject(message) || !Array.isArray(message.content)) return message;
  const { content } = message;
  const changed = content.map((part, index) => plainPart(part, `${at}.content.${index}`));
  const isSame = changed.every((part, index) => part === content[index]);
  return isSame ? message : { ...message, content: changed };
}

function plainPart(part: unknown, at: string): unknown {
  if (!isObject(part) || part.type !== "image_url") return part;
  const image = part.image_url;
  if (!isObject(image) || typeof image.url !== "string") {
    const param = `${at}.image_url`;
    const message = `The request is invalid: \`${param}\` must be an object with a text \`url\`.`;
    throw new ApiError("invalid_request", message, { param });
  }
  const [head = ""] = HEAD.exec(image.url) ?? [];
  const plain = head.toLowerCase();
  if (plain === head) return part;
  return { ...part, image_url: { ...image, url: plain + image.url.slice(head.length) } };
}
