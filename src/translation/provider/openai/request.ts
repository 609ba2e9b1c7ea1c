import { ROUTES } from "../../../wire/route.ts";
import { openaiReasoningEffort } from "./reasoning.ts";

/**
 * OpenAI refuses requests with fields that it does not know. What is translated for it has only the
 * fields that its reference lists.
 * Source: https://platform.openai.com/docs/api-reference/chat/create
 */
const CHAT_FIELDS = [
  ...["model", "messages", "audio", "frequency_penalty", "function_call", "functions"],
  ...["logit_bias", "logprobs", "max_completion_tokens", "metadata", "modalities", "moderation"],
  ...["n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key"],
  ...["prompt_cache_options", "prompt_cache_retention", "response_format", "safety_identifier"],
  ...["seed", "service_tier", "stop", "store", "stream", "stream_options", "temperature"],
  ...["tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options"],
];

/** Source: https://platform.openai.com/docs/api-reference/completions/create */
const COMPLETION_FIELDS = [
  ...["model", "prompt", "best_of", "echo", "frequency_penalty", "logit_bias", "max_tokens", "n"],
  ...["presence_penalty", "seed", "stop", "stream", "stream_options", "suffix", "temperature"],
  ...["top_p", "user"],
];

/** Source: https://platform.openai.com/docs/api-reference/embeddings/create */
const EMBEDDINGS_FIELDS = ["model", "input", "dimensions", "encoding_format", "user"];

const MESSAGE_FIELDS = [
  ...["role", "content", "name", "refusal", "audio", "tool_calls", "tool_call_id"],
  "function_call",
];

/** Fields that translations write and that only servers of open models know. */
const OPEN_MODEL_FIELDS = new Set([
  ...["keep_alive", "chat_template_kwargs", "repeat_penalty", "repetition_penalty"],
  ...["repeat_last_n", "mirostat", "mirostat_tau", "mirostat_eta", "min_p", "typical_p", "top_k"],
]);

type Fields = Record<string, unknown>;

/**
 * The body for OpenAI itself, made of a translation's body for any server. Fields that OpenAI does
 * not know are left out, also those of messages; the token limit is `max_completion_tokens`, which
 * all its models take; only models that reason get a `reasoning_effort`. `path` is where the body
 * is sent: chat completions, completions or embeddings.
 */
export function openaiBody(path: string, body: Fields): Fields {
  switch (path) {
    case ROUTES.chat.path:
      return chatBody(body);
    case ROUTES.generate.path:
      return pick(body, COMPLETION_FIELDS);
    case ROUTES.embeddings.path:
      return pick(body, EMBEDDINGS_FIELDS);
    default:
      return body;
  }
}

/**
 * The body for a provider whose API is like OpenAI's: without fields of open models' servers. An
 * effort of `none` is left out, since many do not know the word, and so is the reasoning of earlier
 * turns, since many refuse it; `wantsThoughts` is for providers that take it.
 */
export function openaiCompatibleBody(body: Fields, wantsThoughts: boolean): Fields {
  const { messages } = body;
  const isLeftOut = (name: string, value: unknown) =>
    OPEN_MODEL_FIELDS.has(name) || (name === "reasoning_effort" && value === "none");
  const sent = Object.fromEntries(Object.entries(body).filter((field) => !isLeftOut(...field)));
  if (wantsThoughts || !Array.isArray(messages)) return sent;
  return { ...sent, messages: messages.map(withoutReasoning) };
}

function withoutReasoning(message: unknown): unknown {
  const { reasoning_content: _, ...fields } = Object(message) as Fields;
  return fields;
}

function chatBody(body: Fields): Fields {
  const { messages, tools } = body;
  const limit = body.max_completion_tokens ?? body.max_tokens;
  const effort = openaiReasoningEffort(String(body.model), body.reasoning_effort);
  return {
    ...pick(body, CHAT_FIELDS),
    ...(Array.isArray(messages) ? { messages: messages.map(chatMessage) } : {}),
    ...(Array.isArray(tools) ? { tools: tools.map(typedObject) } : {}),
    ...(limit == null ? {} : { max_completion_tokens: limit }),
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
  };
}

function chatMessage(message: unknown): unknown {
  const fields = pick(message, MESSAGE_FIELDS);
  const { content, tool_calls: calls } = fields;
  return {
    ...fields,
    ...(Array.isArray(content) ? { content: content.map(typedObject) } : {}),
    ...(Array.isArray(calls) ? { tool_calls: calls.map(typedObject) } : {}),
  };
}

/** A part, a call or a tool: its id, its type, and the field that bears the type's name. */
function typedObject(value: unknown): unknown {
  const { type } = Object(value);
  return typeof type === "string" ? pick(value, ["id", "type", type]) : value;
}

function pick(from: unknown, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(Object(from)).filter(([name]) => names.includes(name)));
}
