import type { ChatUsage } from "../../../wire/chat.ts";
import type { OutputItem, ResponsesRequest } from "../../../wire/responses.ts";
import { newId, unixTimeS } from "../../ids.ts";

/** What changes of a response while it is made. */
export interface ResponseProgress {
  status: "in_progress" | "completed" | "incomplete" | "failed";
  output: readonly OutputItem[];
  usage?: ChatUsage | null | undefined;
  /** Why it is incomplete. */
  reason?: "max_output_tokens" | "content_filter" | undefined;
  /** Why it failed. */
  error?: { code: string; message: string };
}

/** What of a response stays the same from its first event to its last. */
export class ResponseObject {
  readonly #request: ResponsesRequest;
  readonly #id = newId("resp_");
  readonly #createdS: number;

  /** `createdS`: unix seconds; 0 where the endpoint does not say. */
  constructor(request: ResponsesRequest, createdS: number) {
    this.#request = request;
    this.#createdS = createdS > 0 ? Math.floor(createdS) : unixTimeS();
  }

  /** The response object: the model's name as the client knows it, and what it asked for. */
  response({ status, output, usage, reason, error }: ResponseProgress): Record<string, unknown> {
    const isDone = status === "completed";
    return {
      id: this.#id,
      object: "response",
      created_at: this.#createdS,
      status,
      background: false,
      completed_at: isDone ? Math.max(this.#createdS, unixTimeS()) : null,
      error: error ?? null,
      incomplete_details: reason === undefined ? null : { reason },
      output,
      usage: usage ? usageOf(usage) : null,
      ...echo(this.#request),
    };
  }
}

/** What OpenAI repeats of a request; null where the model's own default holds. */
function echo(request: ResponsesRequest): Record<string, unknown> {
  const { reasoning, text, tools } = request;
  return {
    model: request.model,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    reasoning: { effort: reasoning?.effort ?? null, summary: reasoning?.summary ?? null },
    safety_identifier: request.safety_identifier ?? null,
    service_tier: request.service_tier ?? "default",
    store: false,
    temperature: request.temperature ?? null,
    text: { ...text, format: text?.format ?? { type: "text" } },
    tool_choice: request.tool_choice ?? "auto",
    tools: (tools ?? []).map((tool) => ({ parameters: null, strict: null, ...tool })),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? null,
    truncation: request.truncation ?? "disabled",
    user: request.user ?? null,
  };
}

function usageOf(usage: ChatUsage) {
  const { prompt_tokens, completion_tokens, total_tokens } = usage;
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  return {
    input_tokens: prompt_tokens,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: completion_tokens,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: total_tokens ?? prompt_tokens + completion_tokens,
  };
}
