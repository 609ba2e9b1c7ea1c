import { ResponsesRequest } from "../../../wire/responses.ts";
import { ROUTES } from "../../../wire/route.ts";
import { parseChatCompletion } from "../../chat/completion.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { appendChatDelta, responseEnd } from "./delta.ts";
import { OutputItems } from "./output.ts";
import { chatBodyFromResponses } from "./request.ts";
import { ResponseObject } from "./response.ts";
import { refuseStatefulFields } from "./statefulfields.ts";
import { ResponsesStreamFromChat } from "./stream.ts";

/**
 * Puts a request to `/v1/responses` to an endpoint that only speaks chat completions. Nothing is
 * stored; what needs something stored, or tools that OpenAI runs, is `invalid_request`.
 * Source: https://platform.openai.com/docs/api-reference/responses
 */
export function responsesOverChat(request: unknown): Translation {
  refuseStatefulFields(request);
  const asked = parseRequest(ResponsesRequest, request);
  return {
    path: ROUTES.chat.path,
    body: chatBodyFromResponses(asked),
    answer: (json) => responseOf(asked, json),
    stream: () => new ResponsesStreamFromChat(asked),
  };
}

function responseOf(request: ResponsesRequest, json: unknown): object {
  const { completion, choice } = parseChatCompletion(json);
  const { created, usage } = completion;
  const output = new OutputItems(() => undefined);
  const { tool_calls, ...message } = choice.message;
  const calls = tool_calls?.map((call, index) => ({ index, ...call }));
  appendChatDelta(output, { ...message, tool_calls: calls }, choice.logprobs);
  const { status, reason } = responseEnd(choice.finish_reason);
  output.close(status);
  return new ResponseObject(request, created).response({
    status,
    output: output.items,
    usage,
    reason,
  });
}
