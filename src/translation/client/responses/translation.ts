import { ResponsesRequest } from "../../../wire/responses.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { responseFromChat } from "./answer.ts";
import { chatBodyFromResponses } from "./request.ts";
import { statefulFieldRefusal } from "./statefulfields.ts";
import { ResponsesStreamFromChat } from "./stream.ts";

/**
 * Translates a request to `/v1/responses` for an upstream that speaks only chat completions.
 * Nothing is stored. Throws `invalid_request` for what needs something stored, and for tools that
 * OpenAI runs. Source: https://platform.openai.com/docs/api-reference/responses
 */
export function responsesOverChat(request: unknown): Translation {
  const refusal = statefulFieldRefusal(request);
  if (refusal !== undefined) throw refusal;
  const response = parseRequest(ResponsesRequest, request);
  return {
    path: ROUTES.chat.path,
    body: chatBodyFromResponses(response),
    answer: (json) => responseFromChat(response, json),
    stream: () => new ResponsesStreamFromChat(response),
  };
}
