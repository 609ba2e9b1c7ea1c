import type { MessagesRequest } from "../../../wire/anthropic.ts";
import { compact } from "../../compact.ts";
import { invalidField } from "../../errors.ts";
import { chatMessagesFromAnthropic } from "./messages.ts";
import { reasoningEffortFromAnthropic } from "./reasoning.ts";
import { chatToolsFromAnthropic } from "./tools.ts";

/** Fields that only Anthropic can follow and that change no answer: left out. */
const HINTS = [
  ...["cache_control", "service_tier", "inference_geo", "speed", "diagnostics"],
  ...["context_management", "betas", "anthropic_version", "anthropic_beta"],
  ...["user_profile_id", "workspace_id"],
];

/** Fields without which the answer would be another one: refused. */
const REFUSED: Record<string, string> = {
  container: "asks for a container of Anthropic's: leave it out",
  mcp_servers: "asks for servers that Anthropic would call: leave it out, call them as tools",
};

/** Fields of chat completions whose effect does not fit into a message: left out. */
const CHAT_ONLY = ["n", "logprobs", "top_logprobs", "stream_options", "max_completion_tokens"];

/**
 * The body of the chat completion for a request to `/v1/messages`. Fields that neither API has are
 * kept: they are meant for the server that answers. Throws `invalid_request` for what chat
 * completions cannot express.
 */
export function chatBodyFromAnthropic(request: MessagesRequest): Record<string, unknown> {
  const { messages, system, tools, tool_choice, thinking, ...others } = request;
  const { output_config, output_format, stop_sequences, metadata, stream, ...rest } = others;
  const { model, max_tokens, temperature, top_p, top_k, ...unknown } = rest;
  for (const [field, reason] of Object.entries(REFUSED)) {
    const value = unknown[field];
    if (value == null || (Array.isArray(value) && value.length === 0)) continue;
    throw invalidField(field, reason);
  }
  const format = output_config?.format ?? output_format;
  return {
    ...compact(withoutFields(unknown, [...HINTS, ...CHAT_ONLY, ...Object.keys(REFUSED)])),
    model,
    messages: chatMessagesFromAnthropic(request),
    ...compact({ max_tokens, temperature, top_p, top_k, user: metadata?.user_id }),
    ...(stop_sequences == null || stop_sequences.length === 0 ? {} : { stop: stop_sequences }),
    ...chatToolsFromAnthropic(request),
    ...(format == null ? {} : { response_format: responseFormat(format.schema) }),
    ...compact({ reasoning_effort: reasoningEffortFromAnthropic(request) }),
    ...(stream === true ? { stream, stream_options: { include_usage: true } } : {}),
  };
}

/** Chat completions require a name for a schema; Anthropic's API has none. */
const SCHEMA_NAME = "answer";

function responseFormat(schema: Record<string, unknown>) {
  return { type: "json_schema", json_schema: { name: SCHEMA_NAME, schema, strict: true } };
}

function withoutFields(fields: Record<string, unknown>, names: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
