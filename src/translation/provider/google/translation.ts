import { ChatRequest } from "../../../wire/chat.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { chatCompletionFromGoogle } from "./answer.ts";
import { googleModelPath } from "./modelpath.ts";
import { googleBodyFromChat } from "./request.ts";
import { ChatStreamFromGoogle } from "./stream.ts";

/**
 * Translates a chat completion for Google's Gemini API. `model` is Google's name of the model;
 * default: the request's, which is the one that answers have. The path names the model and belongs
 * below a base URL with a version (`…/v1beta`); the body has no `model` and must not get one.
 * Throws `invalid_request` with `param` for what Google cannot be asked.
 */
export function chatOverGoogle(request: unknown, model?: string): Translation {
  const chat = parseRequest(ChatRequest, request);
  const modelPath = googleModelPath(model ?? chat.model);
  const action = chat.stream ? "streamGenerateContent?alt=sse" : "generateContent";
  const includesUsage = chat.stream_options?.include_usage === true;
  const options = { model: chat.model, includesUsage };
  return {
    path: `/${modelPath}:${action}`,
    body: { ...googleBodyFromChat(chat, modelPath.slice(modelPath.lastIndexOf("/") + 1)) },
    answer: (json) => chatCompletionFromGoogle(json, options),
    stream: () => new ChatStreamFromGoogle(options),
  };
}
