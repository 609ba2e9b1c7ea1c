import { ChatRequest } from "../../wire/chat.ts";
import type { GoogleRequest } from "../../wire/google.ts";
import { readRequest } from "../reading.ts";
import type { Translation } from "../translation.ts";
import { answerOf } from "./answer.ts";
import { conversationOf } from "./contents.ts";
import { generationOf, refuseUnsayable, toolsOf } from "./generation.ts";
import { modelPath } from "./model.ts";
import { standIn } from "./signature.ts";
import { GoogleStream } from "./stream.ts";

/**
 * Puts a request for chat completions to Google's Gemini API. `model` is Google's name of the
 * model, by default the request's; answers have the request's. The path holds the model and is of
 * a base URL with version (`…/v1beta`); the body has no `model`, and must not get one. Throws
 * `invalid_request` with `param` for what Google cannot be told.
 */
export function chatOverGoogle(request: unknown, model?: string): Translation {
  const chat = readRequest(ChatRequest, request);
  const name = modelPath(model ?? chat.model);
  refuseUnsayable(chat);
  const plainName = name.slice(name.lastIndexOf("/") + 1);
  const generationConfig = generationOf(chat, plainName);
  const body: GoogleRequest = {
    ...conversationOf(chat.messages, { unsigned: standIn(plainName) }),
    ...toolsOf(chat),
    ...(generationConfig === undefined ? {} : { generationConfig }),
  };
  const action = chat.stream ? "streamGenerateContent?alt=sse" : "generateContent";
  const includesUsage = chat.stream_options?.include_usage === true;
  return {
    path: `/${name}:${action}`,
    body: { ...body },
    answer: (json) => answerOf(json, chat.model),
    stream: () => new GoogleStream({ model: chat.model, includesUsage }),
  };
}
