import type { ChatRequest } from "../../../wire/chat.ts";
import { compact } from "../../compact.ts";
import { invalidField } from "../../errors.ts";
import { anthropicMessagesFromChat, hasCallWithoutThinking } from "./messages.ts";
import { anthropicThinking } from "./reasoning.ts";
import { anthropicOutputFormat } from "./responseformat.ts";
import { anthropicSampling } from "./sampling.ts";
import { anthropicToolsFromChat } from "./tools.ts";

/** Anthropic's own fields, which a client of chat completions may add. */
const ANTHROPIC_FIELDS = ["cache_control", "inference_geo", "speed"];

/**
 * The body of Anthropic's request for a chat. Anthropic refuses fields that it does not know, so
 * hints without a counterpart (`seed`, penalties, `store`, `metadata`, `service_tier`, …) are left
 * out, as Anthropic's own layer for OpenAI's clients does it; so are the sampling parameters that
 * its models refuse. Throws `invalid_request` for fields without which the answer would be another
 * one.
 */
export function anthropicBodyFromChat(request: ChatRequest): Record<string, unknown> {
  refuseUnsupported(request);
  const { system, messages } = anthropicMessagesFromChat(request.messages);
  const reasoning = anthropicThinking(request, hasCallWithoutThinking(messages));
  const { effort, max_tokens, thinking } = reasoning;
  const thinks = thinking !== undefined && thinking.type !== "disabled";
  const { user } = request;
  const output_config = compact({ effort, format: anthropicOutputFormat(request) });
  return {
    ...compact(Object.fromEntries(ANTHROPIC_FIELDS.map((field) => [field, request[field]]))),
    model: request.model,
    ...compact({ system }),
    messages: messages.map(({ role, content }) => ({ role, content: shortContent(content) })),
    max_tokens,
    ...compact(anthropicSampling(request, thinks)),
    ...stopSequences(request),
    ...compact({ metadata: user == null ? undefined : { user_id: user } }),
    ...anthropicToolsFromChat(request),
    ...compact({ thinking }),
    ...(Object.keys(output_config).length === 0 ? {} : { output_config }),
    ...(request.stream === true ? { stream: true } : {}),
  };
}

function refuseUnsupported(request: ChatRequest): void {
  const { n, logprobs, top_logprobs: top, logit_bias: bias, modalities } = request;
  if (n != null && n !== 1)
    throw invalidField("n", "must be 1: Anthropic's models give one answer");
  if (logprobs === true)
    throw invalidField("logprobs", "must be false: Anthropic's API tells none");
  if (top != null && top > 0) {
    throw invalidField("top_logprobs", "must be 0: Anthropic's API tells none");
  }
  if (typeof bias === "object" && bias !== null && Object.keys(bias).length > 0) {
    throw invalidField("logit_bias", "must be empty: Anthropic's API has no such thing");
  }
  if (Array.isArray(modalities) && modalities.some((kind) => kind !== "text")) {
    throw invalidField("modalities", 'must be ["text"]: Anthropic\'s models answer in text');
  }
  for (const [field, instead] of Object.entries(REFUSED)) {
    if (request[field] != null) throw invalidField(field, instead);
  }
}

const REFUSED: Record<string, string> = {
  functions: "is an older form of `tools`: use those",
  function_call: "is an older form of `tool_choice`: use that",
  web_search_options: "is a search of OpenAI's: leave it out, or offer a search as a tool",
  audio: "asks for speech: Anthropic's models answer in text",
};

/** A text alone as a string, as most clients of Anthropic's write it. */
function shortContent(content: readonly Record<string, unknown>[]): unknown {
  const [first, second] = content;
  const isPlain = first?.type === "text" && second === undefined && !("cache_control" in first);
  return isPlain ? first.text : content;
}

function stopSequences({ stop }: ChatRequest): { stop_sequences?: string[] } {
  const stops = typeof stop === "string" ? [stop] : (stop ?? []);
  return stops.length === 0 ? {} : { stop_sequences: stops };
}
