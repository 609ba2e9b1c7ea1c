import { ChatCompletion } from "../../wire/chat.ts";
import { ResponsesRequest } from "../../wire/responses.ts";
import { nonsense, readAnswer, readRequest } from "../reading.ts";
import type { Translation } from "../translation.ts";
import { outcomeOf, readDelta } from "./delta.ts";
import { Envelope } from "./envelope.ts";
import { Output } from "./output.ts";
import { chatBody } from "./request.ts";
import { refuseState } from "./state.ts";
import { ResponseStream } from "./stream.ts";

/**
 * Puts a request to `/v1/responses` to an endpoint that only speaks chat completions. Nothing is
 * stored; what needs something stored, or tools that OpenAI runs, is `invalid_request`.
 * Source: https://platform.openai.com/docs/api-reference/responses
 */
export function responsesOverChat(request: unknown): Translation {
  refuseState(request);
  const asked = readRequest(ResponsesRequest, request);
  return {
    path: "/v1/chat/completions",
    body: chatBody(asked),
    answer: (json) => responseOf(asked, json),
    stream: () => new ResponseStream(asked),
  };
}

function responseOf(request: ResponsesRequest, json: unknown): object {
  const { choices, created, usage } = readAnswer(ChatCompletion, json);
  const choice = choices[0];
  if (choice === undefined) {
    throw nonsense("it has no choices");
  }
  const output = new Output(() => undefined);
  const { tool_calls, ...message } = choice.message;
  const calls = tool_calls?.map((call, index) => ({ index, ...call }));
  readDelta(output, { ...message, tool_calls: calls }, choice.logprobs);
  const { status, reason } = outcomeOf(choice.finish_reason);
  output.close(status);
  return new Envelope(request, created).response({ status, output: output.items, usage, reason });
}
