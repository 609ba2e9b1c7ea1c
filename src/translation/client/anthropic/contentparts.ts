import type {
  DocumentBlock,
  ImageBlock,
  OtherBlock,
  SearchResultBlock,
  TextBlock,
  ToolReferenceBlock,
} from "../../../wire/anthropic.ts";
import type { ChatPart } from "../../../wire/chat.ts";
import { invalidField } from "../../errors.ts";

/** A block that may stand in any message. */
export type ReadableBlock =
  | TextBlock
  | ImageBlock
  | DocumentBlock
  | SearchResultBlock
  | ToolReferenceBlock
  | OtherBlock;

/** The file name of a PDF without a title: chat completions require one. */
export const UNNAMED_PDF = "document.pdf";

/**
 * The parts of a chat message for one block, which stands at the path `at`; none for a block of an
 * unknown type. Throws `invalid_request` for files that only Anthropic has, and for documents by
 * address.
 */
export function chatPartsFromAnthropic(block: ReadableBlock, at: string): ChatPart[] {
  switch (block.type) {
    case "text":
      return [{ type: "text", text: block.text }];
    case "image":
      return [{ type: "image_url", image_url: { url: imageUrl(block, at) } }];
    case "document":
      return documentParts(block, at);
    case "search_result": {
      const text = [block.title, block.source, joinedText(block.content)].join("\n");
      return [{ type: "text", text }];
    }
    case "tool_reference":
      return [{ type: "text", text: `Tool: ${block.tool_name}` }];
    case "other":
      return [];
  }
}

/** Parts as a message's `content`: a text alone as a string, which every server reads. */
export function chatContent(parts: ChatPart[]): string | ChatPart[] {
  const [first, second] = parts;
  if (first === undefined) return "";
  return first.type === "text" && second === undefined ? first.text : parts;
}

/** The texts of blocks, joined by line feeds. */
export function joinedText(blocks: readonly TextBlock[]): string {
  return blocks.map(({ text }) => text).join("\n");
}

function imageUrl({ source }: ImageBlock, at: string): string {
  if (source.type === "url") return source.url;
  if (source.type === "base64") return `data:${source.media_type};base64,${source.data}`;
  throw invalidField(`${at}.source`, "is a file that only Anthropic has: send it as base64");
}

function documentParts({ source, title, context }: DocumentBlock, at: string): ChatPart[] {
  const heading = [title, context].filter((text) => text != null).map((text) => `${text}\n`);
  switch (source.type) {
    case "text":
      return [{ type: "text", text: `${heading.join("")}${source.data}` }];
    case "content": {
      const parts = source.content.flatMap((block, i) =>
        chatPartsFromAnthropic(block, `${at}.source.content.${i}`),
      );
      return heading.length === 0 ? parts : [{ type: "text", text: heading.join("") }, ...parts];
    }
    case "base64": {
      const data = `data:${source.media_type};base64,${source.data}`;
      const file = { filename: title ?? UNNAMED_PDF, file_data: data };
      const about: ChatPart[] = context == null ? [] : [{ type: "text", text: context }];
      return [...about, { type: "file", file }];
    }
    default:
      throw invalidField(
        `${at}.source`,
        "is not in the request itself: send the document as base64",
      );
  }
}
