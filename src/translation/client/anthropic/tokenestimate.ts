import { MessagesRequest, type RequestBlock } from "../../../wire/anthropic.ts";
import { parseRequest } from "../../validation.ts";

/** The UTF-8 bytes of a token in English text; in other languages a token has fewer. */
const BYTES_PER_TOKEN = 4;
/** The tokens that a chat template adds to each message and tool. */
const MESSAGE_TOKENS = 4;
/** The tokens of an image as large as Anthropic takes it without scaling it down, or of a page. */
const ATTACHMENT_TOKENS = 1600;

/**
 * Estimates the input tokens of a request to `/v1/messages`, for upstreams that cannot count them:
 * a quarter of the UTF-8 bytes of its texts, calls and tools, 4 for each message and tool, 1600 for
 * each image and document. Real counts differ by a third and more. Throws `invalid_request` for a
 * body that is not such a request.
 */
export function estimateInputTokens(request: unknown): number {
  const { messages, system, tools } = parseRequest(MessagesRequest, request);
  const blocks = [...(system ?? []), ...messages.flatMap(({ content }) => content)];
  const count = blocks.reduce((sum, block) => add(sum, sizeOf(block)), EMPTY);
  const { bytes, attachments } = (tools ?? []).reduce(
    (sum, tool) => add(sum, { bytes: bytesOf(JSON.stringify(tool)), attachments: 0 }),
    count,
  );
  const frames = messages.length + (tools ?? []).length + (system == null ? 0 : 1);
  const text = Math.ceil(bytes / BYTES_PER_TOKEN);
  return text + attachments * ATTACHMENT_TOKENS + frames * MESSAGE_TOKENS;
}

interface Size {
  bytes: number;
  attachments: number;
}

const EMPTY: Size = { bytes: 0, attachments: 0 };

function add(a: Size, b: Size): Size {
  return { bytes: a.bytes + b.bytes, attachments: a.attachments + b.attachments };
}

function sizeOf(block: RequestBlock): Size {
  switch (block.type) {
    case "text":
      return { bytes: bytesOf(block.text), attachments: 0 };
    case "image":
      return { bytes: 0, attachments: 1 };
    case "document": {
      if (block.source.type === "content") return sum(block.source.content);
      if (block.source.type !== "text") return { bytes: 0, attachments: 1 };
      return { bytes: bytesOf(block.source.data), attachments: 0 };
    }
    case "search_result":
      return sum(block.content);
    case "tool_use":
      return { bytes: bytesOf(block.name + JSON.stringify(block.input)), attachments: 0 };
    case "tool_result":
      return sum(block.content ?? []);
    case "thinking":
      return { bytes: bytesOf(block.thinking), attachments: 0 };
    case "tool_reference":
      return { bytes: bytesOf(block.tool_name), attachments: 0 };
    case "redacted_thinking":
    case "other":
      return EMPTY; // The translation leaves them out.
  }
}

function sum(blocks: readonly RequestBlock[]): Size {
  return blocks.map(sizeOf).reduce(add, EMPTY);
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}
