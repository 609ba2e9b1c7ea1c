import { ApiError } from "../../../wire/error.ts";
import { OllamaGenerateRequest } from "../../../wire/ollama.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { ollamaAnswerFromChat, ollamaAnswerFromCompletion } from "./answer.ts";
import { generateAnswerShape } from "./answershape.ts";
import { contentWithImages } from "./messages.ts";
import { chatSettingsFromOllama } from "./request.ts";
import { type MillisecondClock, RequestStatistics } from "./statistics.ts";
import { OllamaStreamFromChat } from "./stream.ts";
import { loadTranslation } from "./translation.ts";

/**
 * Puts `POST /api/generate` of Ollama's API to an endpoint that speaks chat completions, or, with
 * `raw`, to its `/v1/completions`. Streams unless `stream` is false: `body.stream` tells. Without a
 * prompt the model is only loaded. Throws `invalid_request` for `suffix`, `template`, `context`.
 * Source: https://docs.ollama.com/api/generate
 */
export function ollamaGenerateOverChat(request: unknown, clock?: MillisecondClock): Translation {
  const asked = parseRequest(OllamaGenerateRequest, request);
  refuse(asked);
  const { model, system, raw } = asked;
  const prompt = asked.prompt ?? "";
  const images = asked.images ?? [];
  if (prompt === "" && images.length === 0) return loadTranslation(asked, generateAnswerShape);
  const options = { model, form: generateAnswerShape, measure: new RequestStatistics(clock) };
  const stream = () => new OllamaStreamFromChat(options);
  if (raw === true) {
    return {
      path: ROUTES.generate.path,
      body: { model, prompt, ...chatSettingsFromOllama(asked) },
      answer: (json) => ollamaAnswerFromCompletion(options, json),
      stream,
    };
  }
  const messages = [
    ...(system ? [{ role: "system", content: system }] : []),
    { role: "user", content: contentWithImages(prompt, images, "images") },
  ];
  return {
    path: ROUTES.chat.path,
    body: { model, messages, ...chatSettingsFromOllama(asked) },
    answer: (json) => ollamaAnswerFromChat(options, json),
    stream,
  };
}

function refuse({ suffix, template, context, raw, system, images }: OllamaGenerateRequest): void {
  if (suffix) throw unsupported("suffix", "llmlb has no route that fills in a text");
  if (template) throw unsupported("template", "the model's own is used; `raw` needs none");
  if (context?.length) throw unsupported("context", "send the conversation to /api/chat instead");
  if (raw !== true) return;
  if (system) throw unsupported("system", "with `raw`, write it into `prompt`");
  if (images?.length) throw unsupported("images", "`raw` takes a text only");
}

function unsupported(param: string, reason: string): ApiError {
  const message = `The text cannot be generated: \`${param}\` is not supported: ${reason}.`;
  return new ApiError("invalid_request", message, { code: "unsupported_parameter", param });
}
