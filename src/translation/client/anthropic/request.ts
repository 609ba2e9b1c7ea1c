import type { MessagesRequest } from "../../../wire/anthropic.ts";
import { compact, invalidField } from "../../validation.ts";
import { chatMessagesFromAnthropic } from "./messages.ts";
import { chatToolsFromAnthropic } from "./tools.ts";

/** Hints of Anthropic's API, and what only Anthropic can do anything with: left out. */
const HINTS = [
  ...["cache_control", "service_tier", "inference_geo", "speed", "diagnostics"],
  ...["context_management", "betas", "anthropic_version", "anthropic_beta"],
  ...["user_profile_id", "workspace_id"],
];

/** What cannot be left out without another answer: refused. */
const REFUSED: Record<string, string> = {
  container: "asks for a container of Anthropic's: leave it out",
  mcp_servers: "asks for servers that Anthropic would call: leave it out, call them as tools",
};

/** They would ask for answers that a message cannot hold. */
const FOREIGN = ["n", "logprobs", "top_logprobs", "stream_options", "max_completion_tokens"];

/**
 * The body for `/v1/chat/completions`. Fields that neither side knows go on as they are: they are
 * meant for the server behind. Throws 400 for what cannot be said.
 */
export function chatBodyFromAnthropic(request: MessagesRequest): Record<string, unknown> {
  const { messages, system, tools, tool_choice, thinking, ...others } = request;
  const { output_config, output_format, stop_sequences, metadata, stream, ...rest } = others;
  const { model, max_tokens, temperature, top_p, top_k, ...unknown } = rest;
  for (const [field, why] of Object.entries(REFUSED)) {
    const value = unknown[field];
    if (value == null || (Array.isArray(value) && value.length === 0)) continue;
    throw invalidField(field, why);
  }
  const format = output_config?.format ?? output_format;
  return {
    ...compact(withoutFields(unknown, [...HINTS, ...FOREIGN, ...Object.keys(REFUSED)])),
    model,
    messages: chatMessagesFromAnthropic(request),
    ...compact({ max_tokens, temperature, top_p, top_k, user: metadata?.user_id }),
    ...(stop_sequences == null || stop_sequences.length === 0 ? {} : { stop: stop_sequences }),
    ...chatToolsFromAnthropic(request),
    ...(format == null ? {} : { response_format: responseFormat(format.schema) }),
    ...compact({ reasoning_effort: effort(request) }),
    ...(stream === true ? { stream, stream_options: { include_usage: true } } : {}),
  };
}

/** A schema has a name in chat completions, and none in messages. */
const SCHEMA_NAME = "answer";

function responseFormat(schema: Record<string, unknown>) {
  return { type: "json_schema", json_schema: { name: SCHEMA_NAME, schema, strict: true } };
}

/** Up to how many thinking tokens which effort is meant; above all of them, `high`. */
const EFFORTS = [
  [2048, "low"],
  [8192, "medium"],
] as const;

/**
 * How hard to think. An effort that is named is taken as it is, both APIs use the same words; a
 * budget is rounded to one. `adaptive` alone leaves it to the model, as saying nothing does.
 */
function effort({ thinking, output_config }: MessagesRequest): string | undefined {
  if (thinking?.type === "disabled") return "none";
  if (output_config?.effort != null) return output_config.effort;
  const budget = thinking?.type === "enabled" ? thinking.budget_tokens : undefined;
  if (budget == null) return undefined;
  return EFFORTS.find(([tokens]) => budget <= tokens)?.[1] ?? "high";
}

function withoutFields(fields: Record<string, unknown>, names: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
