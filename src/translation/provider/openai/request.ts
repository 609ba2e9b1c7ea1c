import { ROUTES } from "../../../wire/route.ts";

/**
 * OpenAI's own clouds refuse a request for each field that they do not know. Where a client of
 * another API is translated for them, only what their reference lists is sent.
 * Source: https://platform.openai.com/docs/api-reference/chat/create
 */
const CHAT = [
  ...["model", "messages", "audio", "frequency_penalty", "function_call", "functions"],
  ...["logit_bias", "logprobs", "max_completion_tokens", "metadata", "modalities", "moderation"],
  ...["n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key"],
  ...["prompt_cache_options", "prompt_cache_retention", "response_format", "safety_identifier"],
  ...["seed", "service_tier", "stop", "store", "stream", "stream_options", "temperature"],
  ...["tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options"],
];

/** Source: https://platform.openai.com/docs/api-reference/completions/create */
const COMPLETION = [
  ...["model", "prompt", "best_of", "echo", "frequency_penalty", "logit_bias", "max_tokens", "n"],
  ...["presence_penalty", "seed", "stop", "stream", "stream_options", "suffix", "temperature"],
  ...["top_p", "user"],
];

/** Source: https://platform.openai.com/docs/api-reference/embeddings/create */
const EMBEDDINGS = ["model", "input", "dimensions", "encoding_format", "user"];

const MESSAGE = [
  ...["role", "content", "name", "refusal", "audio", "tool_calls", "tool_call_id"],
  "function_call",
];

/** What only servers of open models know, in the bodies that translations make for those. */
const LOCAL = new Set([
  ...["keep_alive", "chat_template_kwargs", "repeat_penalty", "repetition_penalty"],
  ...["repeat_last_n", "mirostat", "mirostat_tau", "mirostat_eta", "min_p", "typical_p", "top_k"],
]);

type Fields = Record<string, unknown>;

/**
 * The body of a request for OpenAI itself, made of one for whichever server: fields that it does
 * not know are gone, those of messages as well; the limit is `max_completion_tokens`, which all its
 * models take; `reasoning_effort` is only there for models that reason, in a word that they know.
 * `path` is that of the body: chat completions, completions or embeddings.
 */
export function openaiBody(path: string, body: Fields): Fields {
  switch (path) {
    case ROUTES.chat.path:
      return plainChat(body);
    case ROUTES.generate.path:
      return picked(body, COMPLETION);
    case ROUTES.embeddings.path:
      return picked(body, EMBEDDINGS);
    default:
      return body;
  }
}

/**
 * The same for a cloud that is like OpenAI: without what is for servers of open models only. An
 * effort of `none` is left out, since many know no such word, and so are the thoughts of earlier
 * turns, since many refuse them; `wantsThoughts` for clouds that take them.
 */
export function openaiCompatibleBody(body: Fields, wantsThoughts: boolean): Fields {
  const { messages } = body;
  const isLeft = (name: string, value: unknown) =>
    LOCAL.has(name) || (name === "reasoning_effort" && value === "none");
  const sent = Object.fromEntries(Object.entries(body).filter((field) => !isLeft(...field)));
  if (wantsThoughts || !Array.isArray(messages)) return sent;
  return { ...sent, messages: messages.map(withoutThoughts) };
}

function withoutThoughts(message: unknown): unknown {
  const { reasoning_content: _, ...fields } = Object(message) as Fields;
  return fields;
}

function plainChat(body: Fields): Fields {
  const { messages, tools } = body;
  const limit = body.max_completion_tokens ?? body.max_tokens;
  const effort = effortFor(String(body.model), body.reasoning_effort);
  return {
    ...picked(body, CHAT),
    ...(Array.isArray(messages) ? { messages: messages.map(plainMessage) } : {}),
    ...(Array.isArray(tools) ? { tools: tools.map(named) } : {}),
    ...(limit == null ? {} : { max_completion_tokens: limit }),
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
  };
}

function plainMessage(message: unknown): unknown {
  const fields = picked(message, MESSAGE);
  const { content, tool_calls: calls } = fields;
  return {
    ...fields,
    ...(Array.isArray(content) ? { content: content.map(named) } : {}),
    ...(Array.isArray(calls) ? { tool_calls: calls.map(named) } : {}),
  };
}

/** A part, a call or a tool: its type, what the type is the name of, its id. */
function named(one: unknown): unknown {
  const { type } = Object(one);
  return typeof type === "string" ? picked(one, ["id", "type", type]) : one;
}

function picked(from: unknown, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(Object(from)).filter(([name]) => names.includes(name)));
}

/** Models that reason: o1, o3, …, gpt-5 and later; those for chats are like gpt-4. */
const REASONING = /^(?:o\d|gpt-(?:[5-9]|\d\d))(?!.*-chat)/;
/** Of these, those that can be told not to. */
const NEED_NOT = /^gpt-(?:5\.\d|[6-9]|\d\d)/;

/** Others refuse the field, whatever it says. */
function effortFor(model: string, effort: unknown): string | undefined {
  if (typeof effort !== "string" || !REASONING.test(model)) return undefined;
  if (effort === "max") return "high";
  if (effort !== "none" || NEED_NOT.test(model)) return effort;
  return model.startsWith("o") ? "low" : "minimal";
}
