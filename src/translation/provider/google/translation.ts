import { ChatRequest } from "../../../wire/chat.ts";
import type { GoogleRequest } from "../../../wire/google.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { chatCompletionFromGoogle } from "./answer.ts";
import {
  googleGenerationConfig,
  googleToolsFromChat,
  refuseUnsupportedFields,
} from "./generationconfig.ts";
import { googleContentsFromChat } from "./messages.ts";
import { googleModelPath } from "./modelpath.ts";
import { ChatStreamFromGoogle } from "./stream.ts";
import { placeholderSignature } from "./thoughtsignature.ts";

/**
 * Puts a request for chat completions to Google's Gemini API. `model` is Google's name of the
 * model, by default the request's; answers have the request's. The path holds the model and is of
 * a base URL with version (`…/v1beta`); the body has no `model`, and must not get one. Throws
 * `invalid_request` with `param` for what Google cannot be told.
 */
export function chatOverGoogle(request: unknown, model?: string): Translation {
  const chat = parseRequest(ChatRequest, request);
  const name = googleModelPath(model ?? chat.model);
  refuseUnsupportedFields(chat);
  const plainName = name.slice(name.lastIndexOf("/") + 1);
  const generationConfig = googleGenerationConfig(chat, plainName);
  const body: GoogleRequest = {
    ...googleContentsFromChat(chat.messages, { unsigned: placeholderSignature(plainName) }),
    ...googleToolsFromChat(chat),
    ...(generationConfig === undefined ? {} : { generationConfig }),
  };
  const action = chat.stream ? "streamGenerateContent?alt=sse" : "generateContent";
  const includesUsage = chat.stream_options?.include_usage === true;
  return {
    path: `/${name}:${action}`,
    body: { ...body },
    answer: (json) => chatCompletionFromGoogle(json, chat.model),
    stream: () => new ChatStreamFromGoogle({ model: chat.model, includesUsage }),
  };
}
