import type { ChatPart } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import type { GooglePart } from "../../../wire/google.ts";

/** What a message of a chat says: a text, parts, or nothing. */
export type ChatContent = string | readonly ChatPart[] | null | undefined;

/** The parts of a message for Google; texts that are empty are left out. `place` is for errors. */
export function googlePartsFromChat(content: ChatContent, place: string): GooglePart[] {
  if (content === null || content === undefined || content === "") return [];
  if (typeof content === "string") return [{ text: content }];
  return content
    .map((part, at) => partOf(part, `${place}.${at}`))
    .filter((part) => part.text !== "");
}

/** The same where only texts can stand. */
export function googleTextPartsFromChat(content: ChatContent, place: string): GooglePart[] {
  const parts = googlePartsFromChat(content, place);
  if (parts.every(({ text }) => text !== undefined)) return parts;
  throw unsupportedByGoogle(place, "here Google takes nothing but text");
}

function partOf(part: ChatPart, place: string): GooglePart {
  switch (part.type) {
    case "text":
      return { text: part.text };
    case "refusal":
      return { text: part.refusal };
    case "image_url":
      return imagePart(part.image_url.url, `${place}.image_url.url`);
    case "input_audio": {
      const { data, format } = part.input_audio;
      if (/^[\w.+-]{1,40}$/.test(format)) {
        return { inlineData: { mimeType: `audio/${format}`, data } };
      }
      throw unsupportedByGoogle(
        `${place}.input_audio.format`,
        "it must be a format such as wav or mp3",
      );
    }
    case "file":
      return filePart(part.file, `${place}.file`);
  }
}

function imagePart(url: string, place: string): GooglePart {
  const inline = inlineData(url);
  if (inline !== undefined) return { inlineData: inline };
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw unsupportedByGoogle(
      place,
      "it must be a data URL in base64, or an address that begins with https://",
    );
  }
  const ending = /\.(\w+)$/.exec(new URL(url).pathname)?.[1]?.toLowerCase() ?? "";
  const mimeType = IMAGE_TYPES.get(ending);
  return { fileData: { fileUri: url, ...(mimeType === undefined ? {} : { mimeType }) } };
}

/** What Google takes by address; it wants the type where the name tells it. */
const IMAGE_TYPES = new Map([
  ["jpg", "image/jpeg"],
  ["jpeg", "image/jpeg"],
  ["png", "image/png"],
  ["webp", "image/webp"],
  ["gif", "image/gif"],
  ["heic", "image/heic"],
  ["heif", "image/heif"],
]);

function filePart(file: { file_data?: string | undefined }, place: string): GooglePart {
  const inline = inlineData(file.file_data ?? "");
  if (inline !== undefined) return { inlineData: inline };
  if (file.file_data === undefined) {
    throw unsupportedByGoogle(
      place,
      "files kept at OpenAI are unknown to Google: send it as file_data",
    );
  }
  throw unsupportedByGoogle(`${place}.file_data`, "it must be a data URL in base64");
}

function inlineData(url: string): { mimeType: string; data: string } | undefined {
  const comma = url.indexOf(",");
  const [, mimeType] =
    /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64$/i.exec(
      url.slice(0, Math.max(0, Math.min(comma, 200))),
    ) ?? [];
  return mimeType === undefined ? undefined : { mimeType, data: url.slice(comma + 1) };
}

/** A 400 for what Google cannot be asked. */
export function unsupportedByGoogle(param: string, reason: string): ApiError {
  const message = `The request could not be put to Google: \`${param}\`: ${reason}.`;
  return new ApiError("invalid_request", message, { param });
}
