import type { ChatMessage, ResponseFormat } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import type { ResponsesRequest, TextFormat } from "../../../wire/responses.ts";
import { compact } from "../../validation.ts";
import { chatMessagesFromItems } from "./messages.ts";
import { chatToolsFromResponses } from "./tools.ts";

/**
 * The body of the chat completion that answers a request for a response. Throws `invalid_request`
 * for what chat completions cannot say. Fields that the API does not have go on as they are.
 */
export function chatBodyFromResponses(request: ResponsesRequest): Record<string, unknown> {
  const wantsLogprobs = checkInclude(request.include ?? []);
  const { text, reasoning, stream, top_logprobs } = request;
  const { format, verbosity } = text ?? {};
  const fields = {
    ...{ temperature: request.temperature, top_p: request.top_p },
    max_tokens: request.max_output_tokens,
    parallel_tool_calls: request.parallel_tool_calls,
    response_format: format ? responseFormat(format) : undefined,
    ...{ verbosity, reasoning_effort: reasoning?.effort },
    logprobs: wantsLogprobs || top_logprobs ? true : undefined,
    top_logprobs,
    ...{ user: request.user, safety_identifier: request.safety_identifier },
    ...{ prompt_cache_key: request.prompt_cache_key, service_tier: request.service_tier },
  };
  return {
    ...foreignFields(request),
    model: request.model,
    messages: conversationOf(request),
    ...chatToolsFromResponses(request),
    ...compact(fields),
    ...(stream === true ? { stream, stream_options: { include_usage: true } } : {}),
  };
}

function conversationOf({ instructions, input }: ResponsesRequest): ChatMessage[] {
  const messages = chatMessagesFromItems(input);
  if (instructions) messages.unshift({ role: "system", content: instructions });
  if (messages.length > 0) return messages;
  const message = "The response cannot be made: `input` is empty. Send a text or a list of items.";
  throw new ApiError("invalid_request", message, { param: "input" });
}

function responseFormat(format: TextFormat): ResponseFormat {
  if (format.type !== "json_schema") return { type: format.type };
  const { name, description, schema, strict } = format;
  return {
    type: "json_schema",
    json_schema: {
      ...{ name, schema },
      ...(typeof description === "string" ? { description } : {}),
      ...(typeof strict === "boolean" ? { strict } : {}),
    },
  };
}

/**
 * Whether logprobs are asked for. Reasoning comes in clear text and can be sent back so, which is
 * what encrypted reasoning is for; clients that keep nothing ask for it with every request.
 */
function checkInclude(include: readonly string[]): boolean {
  for (const [i, value] of include.entries()) {
    if (value === "message.output_text.logprobs" || value === "reasoning.encrypted_content")
      continue;
    const param = `include.${i}`;
    const message = `The response cannot be made: \`${param}\` asks for \`${value}\`, which this \
model's endpoints do not tell. Take it out.`;
    throw new ApiError("invalid_request", message, { code: "unsupported_value", param });
  }
  return include.includes("message.output_text.logprobs");
}

/** The API's own fields: each has its counterpart above, is echoed, or is refused. */
const OWN = new Set([
  ...["model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls"],
  ...["temperature", "top_p", "top_logprobs", "max_output_tokens", "max_tool_calls", "text"],
  ...["reasoning", "include", "metadata", "prompt_cache_key", "prompt_cache_retention"],
  ...["safety_identifier", "service_tier", "store", "stream", "stream_options", "truncation"],
  ...["user", "previous_response_id", "conversation", "prompt", "background"],
  ...["context_management", "prompt_cache_options", "moderation"],
  // Of chat completions: the answer to these would not fit into a response.
  ...["messages", "n", "functions", "function_call", "modalities", "audio"],
]);

function foreignFields(request: ResponsesRequest): Record<string, unknown> {
  return Object.fromEntries(Object.entries(request).filter(([name]) => !OWN.has(name)));
}
