import type { ChatMessage, ResponseFormat } from "../../../wire/chat.ts";
import { ApiError } from "../../../wire/error.ts";
import type { ResponsesRequest, TextFormat } from "../../../wire/responses.ts";
import { withOneSystemMessage } from "../../chat/systemmessage.ts";
import { withTextResults } from "../../chat/toolresult.ts";
import { compact } from "../../compact.ts";
import { chatMessagesFromItems } from "./messages.ts";
import { chatToolsFromResponses } from "./tools.ts";

/**
 * The body of the chat completion for a request to `/v1/responses`. Fields that the Responses API
 * does not have are kept. Throws `invalid_request` for what chat completions cannot express.
 */
export function chatBodyFromResponses(request: ResponsesRequest): Record<string, unknown> {
  const includesLogprobs = checkInclude(request.include ?? []);
  const { text, reasoning, stream, top_logprobs } = request;
  const { format, verbosity } = text ?? {};
  const fields = {
    ...{ temperature: request.temperature, top_p: request.top_p },
    max_tokens: request.max_output_tokens,
    response_format: format ? responseFormat(format) : undefined,
    ...{ verbosity, reasoning_effort: reasoning?.effort },
    logprobs: includesLogprobs || top_logprobs ? true : undefined,
    top_logprobs,
    ...{ user: request.user, safety_identifier: request.safety_identifier },
    ...{ prompt_cache_key: request.prompt_cache_key, service_tier: request.service_tier },
  };
  return {
    ...otherFields(request),
    model: request.model,
    messages: chatMessages(request),
    ...chatToolsFromResponses(request),
    ...compact(fields),
    ...(stream === true ? { stream, stream_options: { include_usage: true } } : {}),
  };
}

function chatMessages({ instructions, input }: ResponsesRequest): ChatMessage[] {
  const messages = chatMessagesFromItems(input);
  if (instructions) messages.unshift({ role: "system", content: instructions });
  if (messages.length > 0) return withTextResults(withOneSystemMessage(messages));
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
 * Whether `include` asks for log probabilities. Encrypted reasoning is accepted, because clients
 * that store nothing always ask for it: they get reasoning as plain text and can send that back.
 * Throws `invalid_request` for all else.
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

/** The Responses API's fields: each is translated above, repeated in the answer, or refused. */
const RESPONSES_FIELDS = new Set([
  ...["model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls"],
  ...["temperature", "top_p", "top_logprobs", "max_output_tokens", "max_tool_calls", "text"],
  ...["reasoning", "include", "metadata", "prompt_cache_key", "prompt_cache_retention"],
  ...["safety_identifier", "service_tier", "store", "stream", "stream_options", "truncation"],
  ...["user", "previous_response_id", "conversation", "prompt", "background"],
  ...["context_management", "prompt_cache_options", "moderation"],
  // Fields of chat completions whose effect does not fit into a response.
  ...["messages", "n", "functions", "function_call", "modalities", "audio"],
]);

function otherFields(request: ResponsesRequest): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(request).filter(([name]) => !RESPONSES_FIELDS.has(name)),
  );
}
