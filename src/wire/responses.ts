import { z } from "zod";

/**
 * The Responses API, as far as it is translated for upstreams that do not speak it: without what
 * must be stored between requests. Unknown fields are kept.
 * Source: https://platform.openai.com/docs/api-reference/responses
 */
const InputText = z.looseObject({
  type: z.enum(["input_text", "output_text", "text", "reasoning_text", "summary_text"]),
  text: z.string(),
});
const InputImage = z.looseObject({
  type: z.literal("input_image"),
  /** An address or a data URL. */
  image_url: z.string().nullish(),
  file_id: z.string().nullish(),
  detail: z.string().nullish(),
});
const InputFile = z.looseObject({
  type: z.literal("input_file"),
  filename: z.string().nullish(),
  /** A data URL. */
  file_data: z.string().nullish(),
  file_id: z.string().nullish(),
  file_url: z.string().nullish(),
});
const InputAudio = z.looseObject({
  type: z.literal("input_audio"),
  input_audio: z.looseObject({ data: z.string(), format: z.string() }),
});
const InputRefusal = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });

export const InputPart = z.discriminatedUnion("type", [
  ...([InputText, InputImage, InputFile] as const),
  ...([InputAudio, InputRefusal] as const),
]);
export type InputPart = z.infer<typeof InputPart>;

const Content = z.union([z.string(), z.array(InputPart)]);

/** A message; its `type` may be left out. */
export const MessageItem = z.looseObject({
  role: z.enum(["user", "assistant", "system", "developer"]),
  content: Content,
});
export const FunctionCallItem = z.looseObject({
  call_id: z.string(),
  name: z.string(),
  /** JSON, as the model wrote it. */
  arguments: z.string(),
});
/** A call of a tool that takes a text instead of arguments. */
export const CustomCallItem = z.looseObject({
  call_id: z.string(),
  name: z.string(),
  input: z.string(),
});

const Fields = z.record(z.string(), z.unknown());

/** A call of a tool that OpenAI describes and the client runs: a shell, patches. */
export const HostedCallItem = z.looseObject({
  call_id: z.string().nullish(),
  /** In older requests the call's own. */
  id: z.string().nullish(),
  action: Fields.nullish(),
  operation: Fields.nullish(),
});
export const HostedOutputItem = z.looseObject({
  call_id: z.string().nullish(),
  id: z.string().nullish(),
  status: z.string().nullish(),
  /** A text, or what each command wrote. */
  output: z.unknown().optional(),
});

export const FunctionOutputItem = z.looseObject({ call_id: z.string(), output: Content });

const Texts = z.array(z.looseObject({ text: z.string() })).nullish();

/** The model's reasoning, whole or as a summary. */
export const ReasoningItem = z.looseObject({ content: Texts, summary: Texts });

/** An item of `input` whose `type` has not been checked. */
export const InputItem = z.looseObject({ type: z.string().nullish() });
export type InputItem = z.infer<typeof InputItem>;

export const FunctionTool = z.looseObject({
  type: z.literal("function"),
  name: z.string(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});
export type FunctionTool = z.infer<typeof FunctionTool>;

/** A tool that takes a text, in whatever form `format` asks for. */
export const CustomTool = z.looseObject({
  type: z.literal("custom"),
  name: z.string(),
  description: z.string().nullish(),
  format: z.looseObject({ syntax: z.string(), definition: z.string() }).nullish().catch(null),
});
export type CustomTool = z.infer<typeof CustomTool>;

/** A list of tools inside a tool or an item; whose `type` says what for. */
export const ToolHolder = z.looseObject({
  name: z.string().nullish(),
  tools: z.array(z.looseObject({ type: z.string() })),
});

const ResponsesToolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.looseObject({ type: z.string() }),
]);

/** A `tool_choice` of the types `function` and `custom`. */
export const FunctionChoice = z.looseObject({ name: z.string() });
/** A `tool_choice` of the type `allowed_tools`. */
export const AllowedTools = z.looseObject({
  mode: z.enum(["auto", "required"]),
  tools: z.array(z.looseObject({ type: z.string(), name: z.string().optional() })).min(1),
});

export const TextFormat = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    name: z.string(),
    description: z.string().nullish(),
    schema: z.record(z.string(), z.unknown()),
    strict: z.boolean().nullish(),
  }),
]);
export type TextFormat = z.infer<typeof TextFormat>;

export const ResponsesRequest = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(InputItem)]),
  instructions: z.string().nullish(),
  tools: z.array(z.looseObject({ type: z.string() })).nullish(),
  tool_choice: ResponsesToolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_logprobs: z.number().nullish(),
  max_output_tokens: z.number().nullish(),
  max_tool_calls: z.number().nullish(),
  text: z.looseObject({ format: TextFormat.nullish(), verbosity: z.string().nullish() }).nullish(),
  reasoning: z
    .looseObject({ effort: z.string().nullish(), summary: z.string().nullish() })
    .nullish(),
  include: z.array(z.string()).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  prompt_cache_key: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  service_tier: z.string().nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  truncation: z.string().nullish(),
  user: z.string().nullish(),
});
export type ResponsesRequest = z.infer<typeof ResponsesRequest>;

/** The fields that need something stored from an earlier request. */
export const StatefulRequest = z.looseObject({
  previous_response_id: z.unknown().optional(),
  conversation: z.unknown().optional(),
  prompt: z.unknown().optional(),
  background: z.unknown().optional(),
  input: z.unknown().optional(),
});

type ItemStatus = "in_progress" | "completed" | "incomplete";

export interface TextContent {
  type: "output_text";
  text: string;
  annotations: unknown[];
  logprobs: unknown[];
}

export interface RefusalContent {
  type: "refusal";
  refusal: string;
}

interface ReasoningContent {
  type: "reasoning_text";
  text: string;
}

export interface OutputMessage {
  id: string;
  type: "message";
  status: ItemStatus;
  role: "assistant";
  content: (TextContent | RefusalContent)[];
}

export interface OutputReasoning {
  id: string;
  type: "reasoning";
  status: ItemStatus;
  summary: unknown[];
  content: ReasoningContent[];
}

export interface OutputFunctionCall {
  id: string;
  type: "function_call";
  status: ItemStatus;
  call_id: string;
  name: string;
  /** The group of tools that the client has it in. */
  namespace?: string;
  arguments: string;
}

/** A call of a tool that takes a text. */
export interface OutputCustomCall {
  id: string;
  type: "custom_tool_call";
  status: ItemStatus;
  call_id: string;
  name: string;
  namespace?: string;
  input: string;
}

/** One item of an answer's `output`. */
export type OutputItem = OutputMessage | OutputReasoning | OutputFunctionCall | OutputCustomCall;
