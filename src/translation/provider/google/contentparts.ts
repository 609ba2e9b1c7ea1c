import type { ChatPart } from "../../../wire/chat.ts";
import type { GooglePart } from "../../../wire/google.ts";
import { unsupportedByGoogle } from "./errors.ts";

/** The `content` of a message of a chat. */
export type ChatContent = string | readonly ChatPart[] | null | undefined;

/**
 * Google's parts for the `content` of a message, which stands at the path `at`. Empty texts are
 * left out. Throws `invalid_request` for what Google does not take.
 */
export function googlePartsFromChat(content: ChatContent, at: string): GooglePart[] {
  if (content === null || content === undefined || content === "") return [];
  if (typeof content === "string") return [{ text: content }];
  return content
    .map((part, i) => googlePart(part, `${at}.${i}`))
    .filter((part) => part.text !== "");
}

/** The same for content that must be text. Throws `invalid_request` for anything else. */
export function googleTextPartsFromChat(content: ChatContent, at: string): GooglePart[] {
  const parts = googlePartsFromChat(content, at);
  if (parts.every(({ text }) => text !== undefined)) return parts;
  throw unsupportedByGoogle(at, "here Google takes nothing but text");
}

function googlePart(part: ChatPart, at: string): GooglePart {
  switch (part.type) {
    case "text":
      return { text: part.text };
    case "refusal":
      return { text: part.refusal };
    case "image_url":
      return imagePart(part.image_url.url, `${at}.image_url.url`);
    case "input_audio": {
      const { data, format } = part.input_audio;
      if (/^[\w.+-]{1,40}$/.test(format)) {
        return { inlineData: { mimeType: `audio/${format}`, data } };
      }
      throw unsupportedByGoogle(
        `${at}.input_audio.format`,
        "it must be a format such as wav or mp3",
      );
    }
    case "file":
      return filePart(part.file, `${at}.file`);
  }
}

function imagePart(url: string, at: string): GooglePart {
  const inline = inlineData(url);
  if (inline !== undefined) return { inlineData: inline };
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw unsupportedByGoogle(
      at,
      "it must be a data URL in base64, or an address that begins with https://",
    );
  }
  const ending = /\.(\w+)$/.exec(new URL(url).pathname)?.[1]?.toLowerCase() ?? "";
  const mimeType = IMAGE_TYPES.get(ending);
  return { fileData: { fileUri: url, ...(mimeType === undefined ? {} : { mimeType }) } };
}

/** The types of the images that Google takes by URL, by the ending of the file's name. */
const IMAGE_TYPES = new Map([
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["png", "image/png"],
  ["webp", "image/webp"],
  ["gif", "image/gif"],
  ["heic", "image/heic"],
  ["heif", "image/heif"],
]);

function filePart(file: { file_data?: string | undefined }, at: string): GooglePart {
  const inline = inlineData(file.file_data ?? "");
  if (inline !== undefined) return { inlineData: inline };
  if (file.file_data === undefined) {
    throw unsupportedByGoogle(
      at,
      "files kept at OpenAI are unknown to Google: send it as file_data",
    );
  }
  throw unsupportedByGoogle(`${at}.file_data`, "it must be a data URL in base64");
}

function inlineData(url: string): { mimeType: string; data: string } | undefined {
  const comma = url.indexOf(",");
  const [, mimeType] =
    /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64$/i.exec(
      url.slice(0, Math.max(0, Math.min(comma, 200))),
    ) ?? [];
  return mimeType === undefined ? undefined : { mimeType, data: url.slice(comma + 1) };
}
