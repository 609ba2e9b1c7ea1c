import { ApiError } from "../../../wire/error.ts";
import { OllamaGenerateRequest } from "../../../wire/ollama.ts";
import { ROUTES } from "../../../wire/route.ts";
import type { Translation } from "../../translation.ts";
import { parseRequest } from "../../validation.ts";
import { ollamaAnswerFromChat, ollamaAnswerFromCompletion } from "./answer.ts";
import { generateAnswerShape } from "./answershape.ts";
import { contentWithImages } from "./images.ts";
import { loadTranslation } from "./load.ts";
import { chatSettingsFromOllama } from "./request.ts";
import { type MillisecondClock, RequestStatistics } from "./statistics.ts";
import { OllamaStreamFromChat } from "./stream.ts";

/**
 * Translates a request to Ollama's `/api/generate` for an upstream that speaks chat completions;
 * with `raw`, for its `/v1/completions`. It streams unless `stream` is false. Without a prompt the
 * model is only loaded. Throws `invalid_request` for `suffix`, `template` and `context`.
 * Source: https://docs.ollama.com/api/generate
 */
export function ollamaGenerateOverChat(request: unknown, clock?: MillisecondClock): Translation {
  const generate = parseRequest(OllamaGenerateRequest, request);
  refuseUnsupported(generate);
  const { model, system, raw } = generate;
  const prompt = generate.prompt ?? "";
  const images = generate.images ?? [];
  if (prompt === "" && images.length === 0) return loadTranslation(generate, generateAnswerShape);
  const options = { model, shape: generateAnswerShape, statistics: new RequestStatistics(clock) };
  const stream = () => new OllamaStreamFromChat(options);
  if (raw === true) {
    return {
      path: ROUTES.generate.path,
      body: { model, prompt, ...chatSettingsFromOllama(generate) },
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
    body: { model, messages, ...chatSettingsFromOllama(generate) },
    answer: (json) => ollamaAnswerFromChat(options, json),
    stream,
  };
}

function refuseUnsupported(request: OllamaGenerateRequest): void {
  const { suffix, template, context, raw, system, images } = request;
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
