import { z } from "zod";
import { absent } from "./absent.ts";

/**
 * Anthropic's Messages API, as far as translations to and from chat completions read it. Unknown
 * fields are kept. A string as `content` or `system` is read as the one text block that it stands
 * for.
 * Source: https://platform.claude.com/docs/en/api/messages and `@anthropic-ai/sdk`
 */
const asBlocks = (value: unknown): unknown =>
  typeof value === "string" ? [{ type: "text", text: value }] : value;

const JsonObject = z.record(z.string(), z.unknown());

export const TextBlock = z.looseObject({ type: z.literal("text"), text: z.string() });
export type TextBlock = z.infer<typeof TextBlock>;

const Base64Source = z.looseObject({
  type: z.literal("base64"),
  media_type: z.string(),
  data: z.string(),
});
const UrlSource = z.looseObject({ type: z.literal("url"), url: z.string() });
/** A file that was uploaded to Anthropic before. */
const FileSource = z.looseObject({ type: z.literal("file"), file_id: z.string() });

export const ImageBlock = z.looseObject({
  type: z.literal("image"),
  source: z.discriminatedUnion("type", [Base64Source, UrlSource, FileSource]),
});
export type ImageBlock = z.infer<typeof ImageBlock>;

/** Sources that hold the document as text. */
const TEXT_SOURCES = [
  z.looseObject({ type: z.literal("text"), data: z.string() }),
  z.looseObject({
    type: z.literal("content"),
    content: z.preprocess(asBlocks, z.array(z.discriminatedUnion("type", [TextBlock, ImageBlock]))),
  }),
] as const;

export const DocumentBlock = z.looseObject({
  type: z.literal("document"),
  source: z.discriminatedUnion("type", [Base64Source, UrlSource, FileSource, ...TEXT_SOURCES]),
  title: z.string().nullish(),
  context: z.string().nullish(),
});
export type DocumentBlock = z.infer<typeof DocumentBlock>;

export const SearchResultBlock = z.looseObject({
  type: z.literal("search_result"),
  source: z.string(),
  title: z.string(),
  content: z.array(TextBlock),
});
export type SearchResultBlock = z.infer<typeof SearchResultBlock>;

export const ThinkingBlock = z.looseObject({
  type: z.literal("thinking"),
  thinking: z.string(),
  /** Proves to Anthropic that the thinking is its own; other servers leave it empty. */
  signature: z.string().optional(),
});
/** Thinking that only Anthropic can read. */
export const RedactedThinkingBlock = z.looseObject({
  type: z.literal("redacted_thinking"),
  data: z.string(),
});

export const ToolUseBlock = z.looseObject({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: JsonObject.default({}),
});
export type ToolUseBlock = z.infer<typeof ToolUseBlock>;

/** Blocks that any message may have. */
const READABLE_BLOCKS = [TextBlock, ImageBlock, DocumentBlock, SearchResultBlock] as const;

/** One of the tools of the request, found by a search for tools. */
const ToolReferenceBlock = z.looseObject({
  type: z.literal("tool_reference"),
  tool_name: z.string(),
});
export type ToolReferenceBlock = z.infer<typeof ToolReferenceBlock>;

const KNOWN_TYPES = new Set([
  ...["text", "image", "document", "search_result", "tool_reference"],
  ...["thinking", "redacted_thinking", "tool_use", "tool_result"],
]);

/** Of any other type: what tools of Anthropic's own did, or what is newer than this list. */
const OtherBlock = z
  .looseObject({ type: z.string().refine((type) => !KNOWN_TYPES.has(type), { abort: true }) })
  .transform(({ type }) => ({ type: "other" as const, named: type }));
export type OtherBlock = z.infer<typeof OtherBlock>;

const ResultBlock = z.union([
  z.discriminatedUnion("type", [...READABLE_BLOCKS, ToolReferenceBlock]),
  OtherBlock,
]);

export const ToolResultBlock = z.looseObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.preprocess(asBlocks, z.array(ResultBlock).nullish()),
  is_error: z.boolean().nullish(),
});
export type ToolResultBlock = z.infer<typeof ToolResultBlock>;

/** Blocks that only messages of one role may have. */
const ROLE_BLOCKS = [ThinkingBlock, RedactedThinkingBlock, ToolUseBlock, ToolResultBlock] as const;

export const RequestBlock = z.union([
  z.discriminatedUnion("type", [...READABLE_BLOCKS, ToolReferenceBlock, ...ROLE_BLOCKS]),
  OtherBlock,
]);
export type RequestBlock = z.infer<typeof RequestBlock>;

export const MessageParam = z.looseObject({
  role: z.enum(["user", "assistant", "system"]),
  content: z.preprocess(asBlocks, z.array(RequestBlock)),
});
export type MessageParam = z.infer<typeof MessageParam>;

export const AnthropicTool = z.looseObject({
  /** `custom`, or one of Anthropic's own tools, such as `web_search_20250305`. */
  type: z.string().nullish(),
  name: z.string(),
  description: z.string().optional(),
  input_schema: JsonObject.optional(),
  strict: z.boolean().nullish(),
});
export type AnthropicTool = z.infer<typeof AnthropicTool>;

/** A tool that Anthropic runs or describes; not all of them have a name (`mcp_toolset`). */
const HostedTool = z.looseObject({
  type: z.string().refine((type) => type !== "custom", { abort: true }),
});
export type HostedTool = z.infer<typeof HostedTool>;

const Parallel = { disable_parallel_tool_use: z.boolean().nullish() };
const AnthropicToolChoice = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("auto"), ...Parallel }),
  z.looseObject({ type: z.literal("any"), ...Parallel }),
  z.looseObject({ type: z.literal("tool"), name: z.string(), ...Parallel }),
  z.looseObject({ type: z.literal("none") }),
]);

const OutputFormat = z.looseObject({ type: z.literal("json_schema"), schema: JsonObject });

/** `POST /v1/messages`; also `/v1/messages/count_tokens`, which has no `max_tokens`. */
export const MessagesRequest = z.looseObject({
  model: z.string(),
  messages: z.array(MessageParam).min(1),
  system: z.preprocess(asBlocks, z.array(TextBlock).nullish()),
  max_tokens: z.number().int().min(1).nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  tools: z.array(z.union([AnthropicTool, HostedTool])).nullish(),
  tool_choice: AnthropicToolChoice.nullish(),
  thinking: z.looseObject({ type: z.string(), budget_tokens: z.number().nullish() }).nullish(),
  output_config: z
    .looseObject({ effort: z.string().nullish(), format: OutputFormat.nullish() })
    .nullish(),
  /** The beta's name for `output_config.format`. */
  output_format: OutputFormat.nullish(),
});
export type MessagesRequest = z.infer<typeof MessagesRequest>;

export const MessagesUsage = z.looseObject({
  /** Without the tokens that were read from or written to the cache. */
  input_tokens: z.number().nullish(),
  output_tokens: z.number().nullish(),
  cache_read_input_tokens: z.number().nullish(),
  cache_creation_input_tokens: z.number().nullish(),
  output_tokens_details: z.looseObject({ thinking_tokens: z.number().nullish() }).nullish(),
});
export type MessagesUsage = z.infer<typeof MessagesUsage>;

/** A block of an answer. Its fields depend on `type`, which may be unknown. */
export const AnswerBlock = z.looseObject({
  type: z.string(),
  text: absent(z.string()),
  thinking: absent(z.string()),
  signature: absent(z.string()),
  data: absent(z.string()),
  id: absent(z.string()),
  name: absent(z.string()),
  input: z.unknown().optional(),
});
export type AnswerBlock = z.infer<typeof AnswerBlock>;

export const MessagesAnswer = z.looseObject({
  id: z.string().catch(""),
  model: z.string().catch(""),
  content: z.array(AnswerBlock),
  stop_reason: z.string().nullish(),
  stop_sequence: z.string().nullish(),
  usage: MessagesUsage.nullish(),
});
export type MessagesAnswer = z.infer<typeof MessagesAnswer>;

/** An event of a streamed answer. Its fields depend on `type`, which may be unknown. */
export const MessagesEvent = z.looseObject({
  type: z.string(),
  index: absent(z.number()),
  message: absent(MessagesAnswer.extend({ content: z.array(AnswerBlock).nullish() })),
  content_block: absent(AnswerBlock),
  delta: absent(
    z.looseObject({
      type: absent(z.string()),
      text: absent(z.string()),
      thinking: absent(z.string()),
      signature: absent(z.string()),
      partial_json: absent(z.string()),
      stop_reason: z.string().nullish(),
      stop_sequence: z.string().nullish(),
    }),
  ),
  usage: MessagesUsage.nullish(),
  error: absent(z.looseObject({ type: z.string(), message: z.string().catch("") })),
});
export type MessagesEvent = z.infer<typeof MessagesEvent>;
