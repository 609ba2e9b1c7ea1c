import type { ChatPart } from "../../../wire/chat.ts";
import type { InputPart } from "../../../wire/responses.ts";
import { unsupportedItem } from "./errors.ts";

/** A message's `content` for that of an item; a text alone is a string, which all servers read. */
export function chatContentFromInput(content: string | InputPart[], at: string) {
  if (typeof content === "string") return content;
  const parts = chatPartsFromInput(content, at);
  const [first] = parts;
  if (first === undefined) return "";
  return parts.length === 1 && first.type === "text" ? first.text : parts;
}

/** The parts of a message for the content of the item at the path `at`. */
export function chatPartsFromInput(content: string | InputPart[], at: string): ChatPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return content.map((part, i) => chatPart(part, `${at}.content.${i}`));
}

function chatPart(part: InputPart, at: string): ChatPart {
  switch (part.type) {
    case "input_image": {
      const { image_url: url, detail } = part;
      if (url === undefined || url === null) throw unsupportedItem(at, "images given by `file_id`");
      return { type: "image_url", image_url: { url, ...(detail ? { detail } : {}) } };
    }
    case "input_file": {
      const { file_data, filename } = part;
      if (file_data === undefined || file_data === null) {
        throw unsupportedItem(at, "files given by `file_id` or `file_url`");
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
