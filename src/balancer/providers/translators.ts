import { estimateInputTokens } from "../../translation/client/anthropic/tokenestimate.ts";
import { ollamaGenerateOverChat } from "../../translation/client/ollama/generate.ts";
import { composeTranslations } from "../../translation/composition.ts";
import type { Translation } from "../../translation/translation.ts";
import { ApiError } from "../../wire/error.ts";
import { ROUTES } from "../../wire/route.ts";
import type { Translator } from "../upstream/translator.ts";

/** The client's API in terms of one of OpenAI's, and that in terms of the provider's. */
export function over(outer: (request: unknown) => Translation, inner: Translator): Translator {
  return (request, model) => composeTranslations(outer(request), (body) => inner(body, model));
}

/**
 * Ollama's `/api/generate` at a provider that only chats. Throws 400 for `raw`, which would be a
 * completion.
 */
export function generateOver(chat: Translator): Translator {
  const translate = over(ollamaGenerateOverChat, chat);
  return (request, model) => {
    if (Object(request).raw !== true) return translate(request, model);
    const message = `The text cannot be generated: \`raw\` is not supported by this model's cloud. \
Leave it out.`;
    const code = "unsupported_parameter";
    throw new ApiError("invalid_request", message, { code, param: "raw" });
  };
}

/** The count of a prompt's tokens at providers that cannot count: it is estimated here. */
export function estimatedCount(request: unknown): Translation {
  const fixedAnswer = { input_tokens: estimateInputTokens(request) };
  return { path: ROUTES.count_tokens.path, body: {}, answer: () => fixedAnswer, fixedAnswer };
}
