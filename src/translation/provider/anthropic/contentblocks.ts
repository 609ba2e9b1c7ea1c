import type { ChatPart } from "../../../wire/chat.ts";
import { UNNAMED_PDF } from "../../client/anthropic/contentparts.ts";
import { compact } from "../../compact.ts";
import { invalidField } from "../../errors.ts";

/** A content block for Anthropic. */
export type AnthropicBlock = Record<string, unknown> & { type: string };

/**
 * Anthropic's content blocks for the `content` of a message, which stands at the path `at`. Empty
 * texts are left out, since Anthropic refuses them; `cache_control` of a part is kept. Throws
 * `invalid_request` for audio, for files that only OpenAI has and for URLs that are not valid.
 */
export function anthropicBlocksFromChat(
  content: string | ChatPart[] | null | undefined,
  at: string,
): AnthropicBlock[] {
  if (content == null) return [];
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return content.flatMap((part, i) => {
    const block = blockOf(part, `${at}.${i}`);
    if (block.type === "text" && block.text === "") return [];
    return [{ ...block, ...compact({ cache_control: part.cache_control }) }];
  });
}

function blockOf(part: ChatPart, at: string): AnthropicBlock {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "refusal":
      return { type: "text", text: part.refusal };
    case "image_url":
      return { type: "image", source: imageSource(part.image_url.url, `${at}.image_url.url`) };
    case "file":
      return fileBlock(part.file, `${at}.file`);
    case "input_audio":
      throw invalidField(at, "is audio, which Anthropic's models do not hear: send text");
  }
}

function imageSource(url: string, at: string): object {
  const data = dataUrl(url);
  if (data !== undefined) return { type: "base64", ...data };
  if (/^https?:\/\//i.test(url)) return { type: "url", url };
  throw invalidField(at, "must be a data URL in base64 or an http(s) address");
}

function fileBlock(file: (ChatPart & { type: "file" })["file"], at: string): AnthropicBlock {
  const title = file.filename === UNNAMED_PDF ? undefined : file.filename;
  if (file.file_data === undefined) {
    throw invalidField(at, "has no `file_data`: files that were uploaded to OpenAI are not here");
  }
  const data = dataUrl(file.file_data);
  if (data === undefined) throw invalidField(`${at}.file_data`, "must be a data URL in base64");
  if (data.media_type !== "text/plain") {
    return { type: "document", source: { type: "base64", ...data }, ...compact({ title }) };
  }
  const text = Buffer.from(data.data, "base64").toString("utf8");
  const source = { type: "text", media_type: "text/plain", data: text };
  return { type: "document", source, ...compact({ title }) };
}

/** The head of a data URL; parameters such as a character set are ignored. */
const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,/i;

function dataUrl(url: string): { media_type: string; data: string } | undefined {
  const head = DATA_URL.exec(url.slice(0, 300));
  if (head === null) return undefined;
  const type = (head[1] ?? "").toLowerCase();
  const media_type = type === "image/jpg" ? "image/jpeg" : type;
  return { media_type, data: url.slice(head[0].length) };
}
