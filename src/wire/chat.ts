import { z } from "zod";
import { absent } from "./absent.ts";
import { functionTools } from "./functiontools.ts";
import { Seed } from "./seed.ts";

/**
 * Chat completions, as far as translations to and from other APIs read them. Requests that are
 * forwarded as they are do not come here. Unknown fields are kept.
 * Source: https://platform.openai.com/docs/api-reference/chat
 */
const TextPart = z.looseObject({ type: z.literal("text"), text: z.string() });
const ImagePart = z.looseObject({
  type: z.literal("image_url"),
  image_url: z.looseObject({ url: z.string(), detail: absent(z.string()) }),
});
const AudioPart = z.looseObject({
  type: z.literal("input_audio"),
  input_audio: z.looseObject({ data: z.string(), format: z.string() }),
});
const FilePart = z.looseObject({
  type: z.literal("file"),
  file: z.looseObject({
    filename: absent(z.string()),
    /** A data URL. */
    file_data: absent(z.string()),
    file_id: absent(z.string()),
  }),
});
const RefusalPart = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });

export const ChatPart = z.discriminatedUnion("type", [
  ...([TextPart, ImagePart, AudioPart] as const),
  ...([FilePart, RefusalPart] as const),
]);
export type ChatPart = z.infer<typeof ChatPart>;

export const ToolCall = z.looseObject({
  id: z.string(),
  type: z.literal("function").default("function"),
  function: z.looseObject({
    name: z.string(),
    /** JSON, as the model wrote it; some clients send the object itself. */
    arguments: z.preprocess(argumentsText, z.string()),
  }),
});
export type ToolCall = z.infer<typeof ToolCall>;

const Content = z.union([z.string(), z.array(ChatPart)]);

const RequestMessage = z.discriminatedUnion("role", [
  z.looseObject({ role: z.enum(["system", "developer"]), content: Content }),
  z.looseObject({ role: z.literal("user"), content: Content, name: absent(z.string()) }),
  z.looseObject({
    role: z.literal("assistant"),
    content: Content.nullish(),
    refusal: z.string().nullish(),
    /** The model's reasoning, with vLLM, llama-server, DeepSeek and others. */
    reasoning_content: z.string().nullish(),
    tool_calls: z.array(ToolCall).nullish(),
  }),
  z.looseObject({ role: z.literal("tool"), content: Content, tool_call_id: z.string() }),
]);

/** Of a history; what a model answered in parts, thoughts among them, comes back so. */
export const ChatMessage = z.preprocess(
  (message) => (hasThoughts(message) ? withTextContent(message) : message),
  RequestMessage,
);
export type ChatMessage = z.infer<typeof ChatMessage>;

const JsonSchema = z.record(z.string(), z.unknown());

export const ChatTool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: z.string(),
    description: absent(z.string()),
    parameters: absent(JsonSchema),
    strict: z.boolean().nullish(),
  }),
});
export type ChatTool = z.infer<typeof ChatTool>;

export const ToolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string() }) }),
]);
export type ToolChoice = z.infer<typeof ToolChoice>;

export const ResponseFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({
      name: z.string(),
      description: absent(z.string()),
      schema: absent(JsonSchema),
      strict: z.boolean().nullish(),
    }),
  }),
]);
export type ResponseFormat = z.infer<typeof ResponseFormat>;

export const ChatRequest = z.looseObject({
  model: z.string(),
  messages: z.array(ChatMessage).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: absent(z.boolean()) }).nullish(),
  max_tokens: z.number().nullish(),
  max_completion_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  seed: Seed,
  n: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().nullish(),
  user: z.string().nullish(),
  tools: z.preprocess(functionTools, z.array(ChatTool).nullish()).optional(),
  tool_choice: ToolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: ResponseFormat.nullish(),
  reasoning_effort: z.string().nullish(),
});
export type ChatRequest = z.infer<typeof ChatRequest>;

/** What a server counted. Counts that it does not tell, or not as numbers, are 0. */
export const ChatUsage = z.looseObject({
  prompt_tokens: z.number().catch(0),
  completion_tokens: z.number().catch(0),
  total_tokens: told(z.number()),
  prompt_tokens_details: told(z.looseObject({ cached_tokens: told(z.number()) })),
  completion_tokens_details: told(z.looseObject({ reasoning_tokens: told(z.number()) })),
});
export type ChatUsage = z.infer<typeof ChatUsage>;

/** Of an answer; null where it counts nothing, whatever that is written as. */
export const AnswerUsage = told(
  ChatUsage.refine(({ prompt_tokens, completion_tokens, total_tokens }) => {
    return prompt_tokens > 0 || completion_tokens > 0 || total_tokens != null;
  }),
);

/** A field of an answer that counts as null where it is not what it should be. */
function told<T extends z.ZodType>(schema: T) {
  return schema.nullish().catch(null);
}

/**
 * `stop`, `length`, `tool_calls`, `content_filter`; some servers have more. Null until the end,
 * for which some write a text without a word in it.
 */
export const FinishReason = z
  .string()
  .nullish()
  .transform((reason) => (reason === "" || reason === "null" ? null : reason));

/** JSON, as the model wrote it; some servers send the object itself. */
const AnswerArguments = z.unknown().optional().transform(argumentsText);

function argumentsText(given: unknown): string {
  if (typeof given === "string") return given;
  return given === undefined || given === null ? "" : JSON.stringify(given);
}

/** Of an answer: servers leave out what they do not know, or write null for it. */
const AnswerCall = z.looseObject({
  id: z.string().catch(""),
  type: z.literal("function").catch("function"),
  function: z.looseObject({ name: z.string(), arguments: AnswerArguments }),
});

const AnswerText = {
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning_content: z.string().nullish(),
};

/** What a model says in parts, as Mistral's does: its thoughts in parts of their own. */
const AnswerPart = z.looseObject({
  text: told(z.string()),
  refusal: told(z.string()),
  thinking: told(z.union([z.string(), z.array(z.looseObject({ text: told(z.string()) }))])),
});

/** A message, or a piece of one, whose content are parts, with the texts of these instead. */
function withTextContent(said: unknown): unknown {
  if (typeof said !== "object" || said === null || !("content" in said)) return said;
  const { content, ...rest } = said;
  if (!Array.isArray(content)) return said;
  const parts = content.map((part) => AnswerPart.safeParse(part).data ?? {});
  const [text, refusal] = [textOf(parts, "text"), textOf(parts, "refusal")];
  const thoughts = parts.map(({ thinking }) =>
    Array.isArray(thinking) ? textOf(thinking, "text") : (thinking ?? ""),
  );
  const thought = thoughts.join("");
  return {
    ...rest,
    content: text,
    ...(refusal === "" ? {} : { refusal }),
    ...(thought === "" ? {} : { reasoning_content: thought }),
  };
}

function hasThoughts(message: unknown): boolean {
  if (typeof message !== "object" || message === null || !("content" in message)) return false;
  const { content } = message;
  if (!Array.isArray(content)) return false;
  return content.some((part) => AnswerPart.safeParse(part).data?.thinking != null);
}

function textOf<K extends string>(parts: { [key in K]?: unknown }[], field: K): string {
  const texts = parts.map((part) => part[field]);
  return texts.filter((text) => typeof text === "string").join("");
}

const AnswerHead = {
  id: z.string().catch(""),
  /** Unix seconds; 0 where it is not told. Some write it as a text. */
  created: z.coerce.number().catch(0),
  model: z.string().catch(""),
};

const Message = z.looseObject({
  role: z.string().catch("assistant"),
  ...AnswerText,
  tool_calls: z.array(AnswerCall).nullish(),
});

export const ChatCompletion = z.looseObject({
  ...AnswerHead,
  object: z.string().catch("chat.completion"),
  choices: z.array(
    z.looseObject({
      index: z.coerce.number().catch(0),
      message: z.preprocess(withTextContent, Message),
      finish_reason: FinishReason,
      logprobs: z.unknown().optional(),
    }),
  ),
  usage: AnswerUsage,
});
export type ChatCompletion = z.infer<typeof ChatCompletion>;

/** A piece of a tool call: the first of an index has id and name, all together the arguments. */
export const ToolCallDelta = z.looseObject({
  index: told(z.number()),
  id: told(z.string()),
  function: z
    .looseObject({ name: told(z.string()), arguments: AnswerArguments })
    .nullish()
    .transform((piece) => piece ?? undefined),
});
export type ToolCallDelta = z.infer<typeof ToolCallDelta>;

const Delta = z.looseObject({
  role: told(z.string()),
  ...AnswerText,
  tool_calls: z.array(ToolCallDelta).nullish(),
});

/** Some send the whole answer as an event, with a message in place of a piece of one. */
function withDelta(choice: unknown): unknown {
  if (typeof choice !== "object" || choice === null || !("message" in choice)) return choice;
  const { message, ...rest } = choice;
  return "delta" in rest && rest.delta != null ? rest : { ...rest, delta: message };
}

export const ChatChunk = z.looseObject({
  ...AnswerHead,
  object: z.string().catch("chat.completion.chunk"),
  choices: z
    .array(
      z.preprocess(
        withDelta,
        z.looseObject({
          index: z.coerce.number().catch(0),
          delta: z.preprocess((said) => withTextContent(said ?? {}), Delta),
          finish_reason: FinishReason,
          logprobs: z.unknown().optional(),
        }),
      ),
    )
    .nullish()
    .transform((choices) => choices ?? []),
  usage: AnswerUsage,
});
export type ChatChunk = z.infer<typeof ChatChunk>;
