import type { ChatUsage } from "../../../wire/chat.ts";
import type { OutputItem, ResponsesRequest } from "../../../wire/responses.ts";
import { newId } from "../../ids.ts";
import { unixTimeS } from "../../unixtime.ts";
import { responsesUsageFromChat } from "./usage.ts";

/** The part of a response that changes while it is made. */
export interface ResponseProgress {
  status: "in_progress" | "completed" | "incomplete" | "failed";
  output: readonly OutputItem[];
  usage?: ChatUsage | null | undefined;
  /** Why the response is incomplete. */
  reason?: "max_output_tokens" | "content_filter" | undefined;
  /** Why the response failed. */
  error?: { code: string; message: string };
}

/** The response object, whose id, time and request stay the same from first to last event. */
export class ResponseObject {
  readonly #request: ResponsesRequest;
  readonly #id = newId("resp_");
  readonly #createdS: number;

  /** `createdS` is in Unix seconds; 0 where the upstream does not report it: then it is now. */
  constructor(request: ResponsesRequest, createdS: number) {
    this.#request = request;
    this.#createdS = createdS > 0 ? Math.floor(createdS) : unixTimeS();
  }

  /** The whole object at one moment; the model's name and the settings are the request's. */
  snapshot({ status, output, usage, reason, error }: ResponseProgress): Record<string, unknown> {
    const isCompleted = status === "completed";
    return {
      id: this.#id,
      object: "response",
      created_at: this.#createdS,
      status,
      background: false,
      completed_at: isCompleted ? Math.max(this.#createdS, unixTimeS()) : null,
      error: error ?? null,
      incomplete_details: reason === undefined ? null : { reason },
      output,
      usage: usage ? responsesUsageFromChat(usage) : null,
      ...requestEcho(this.#request),
    };
  }
}

/** The fields of a request that its response repeats; null where the model's default holds. */
function requestEcho(request: ResponsesRequest): Record<string, unknown> {
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
