import type { ChatRequest, ChatTool } from "../../../wire/chat.ts";
import { compact, invalidField } from "../../validation.ts";
import { anthropicMessagesFromChat, hasCallWithoutThinking } from "./messages.ts";
import { anthropicThinking } from "./reasoning.ts";
import { anthropicSampling } from "./sampling.ts";

/** Fields of Anthropic's own that a client of chat completions may add; all else is left out. */
const OWN_FIELDS = ["cache_control", "inference_geo", "speed"];

/**
 * The body for `/v1/messages`. Anthropic refuses fields that it does not know, so hints that it has
 * no words for are left out (`seed`, penalties, `store`, `metadata`, `service_tier`, …), as
 * Anthropic's own layer for OpenAI's clients does; so is what its models refuse of sampling. Throws
 * 400 for what would make another answer.
 */
export function anthropicBodyFromChat(request: ChatRequest): Record<string, unknown> {
  refuse(request);
  const { system, turns } = anthropicMessagesFromChat(request.messages);
  const { effort, max_tokens, thinking } = anthropicThinking(
    request,
    hasCallWithoutThinking(turns),
  );
  const { user } = request;
  const thinks = thinking !== undefined && thinking.type !== "disabled";
  const output_config = compact({ effort, format: formatOf(request) });
  return {
    ...compact(Object.fromEntries(OWN_FIELDS.map((field) => [field, request[field]]))),
    model: request.model,
    ...compact({ system }),
    messages: turns.map(({ role, content }) => ({ role, content: short(content) })),
    max_tokens,
    ...compact(anthropicSampling(request, thinks)),
    ...stopsOf(request),
    ...compact({ metadata: user == null ? undefined : { user_id: user } }),
    ...toolsOf(request),
    ...compact({ thinking }),
    ...(Object.keys(output_config).length === 0 ? {} : { output_config }),
    ...(request.stream === true ? { stream: true } : {}),
  };
}

function refuse(request: ChatRequest): void {
  const { n, logprobs, top_logprobs: top, logit_bias: bias, modalities } = request;
  if (n != null && n !== 1)
    throw invalidField("n", "must be 1: Anthropic's models give one answer");
  if (logprobs === true)
    throw invalidField("logprobs", "must be false: Anthropic's API tells none");
  if (top != null && top > 0)
    throw invalidField("top_logprobs", "must be 0: Anthropic's API tells none");
  if (typeof bias === "object" && bias !== null && Object.keys(bias).length > 0) {
    throw invalidField("logit_bias", "must be empty: Anthropic's API has no such thing");
  }
  if (Array.isArray(modalities) && modalities.some((kind) => kind !== "text")) {
    throw invalidField("modalities", 'must be ["text"]: Anthropic\'s models answer in text');
  }
  for (const [field, instead] of Object.entries(REPLACED)) {
    if (request[field] != null) throw invalidField(field, instead);
  }
}

const REPLACED: Record<string, string> = {
  functions: "is an older form of `tools`: use those",
  function_call: "is an older form of `tool_choice`: use that",
  web_search_options: "is a search of OpenAI's: leave it out, or offer a search as a tool",
  audio: "asks for speech: Anthropic's models answer in text",
};

/** One block of text is written as what it stands for. */
function short(content: readonly Record<string, unknown>[]): unknown {
  const [first, second] = content;
  const plain = first?.type === "text" && second === undefined && !("cache_control" in first);
  return plain ? first.text : content;
}

function stopsOf({ stop }: ChatRequest): { stop_sequences?: string[] } {
  const stops = typeof stop === "string" ? [stop] : (stop ?? []);
  return stops.length === 0 ? {} : { stop_sequences: stops };
}

function formatOf({ response_format: format }: ChatRequest): object | undefined {
  switch (format?.type) {
    case undefined:
    case "text":
      return undefined;
    case "json_object": {
      const instead = "Anthropic's API wants to know the form, use `json_schema`";
      throw invalidField("response_format.type", `is "json_object": ${instead}`);
    }
    case "json_schema": {
      const { schema } = format.json_schema;
      if (schema === undefined) {
        throw invalidField(
          "response_format.json_schema.schema",
          "is missing: say what to answer in",
        );
      }
      return { type: "json_schema", schema };
    }
  }
}

function toolsOf(request: ChatRequest): object {
  const { tools, tool_choice: choice, parallel_tool_calls: parallel } = request;
  if (tools == null || tools.length === 0) return {};
  const serial = parallel == null ? {} : { disable_parallel_tool_use: !parallel };
  const chosen = choice ?? (parallel == null ? undefined : "auto");
  return compact({
    tools: tools.map(toolOf),
    tool_choice: chosen === undefined ? undefined : choiceOf(chosen, serial),
  });
}

function toolOf(tool: ChatTool): object {
  const { name, description, parameters, strict, cache_control: inner } = tool.function;
  const properties = parameters === undefined ? { properties: {} } : parameters;
  return {
    name,
    ...compact({ description, strict, cache_control: tool.cache_control ?? inner }),
    input_schema: { type: "object", ...properties },
  };
}

function choiceOf(choice: NonNullable<ChatRequest["tool_choice"]>, serial: object): object {
  if (typeof choice !== "string") return { type: "tool", name: choice.function.name, ...serial };
  switch (choice) {
    case "none":
      return { type: "none" };
    case "auto":
      return { type: "auto", ...serial };
    case "required":
      return { type: "any", ...serial };
  }
}
