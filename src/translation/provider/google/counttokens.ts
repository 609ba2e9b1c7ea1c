import { z } from "zod";
import type { Translation } from "../../translation.ts";
import { unreadableGoogleAnswer } from "./errors.ts";
import { googleModelPath } from "./modelpath.ts";
import { chatOverGoogle } from "./translation.ts";

/** Source: https://ai.google.dev/api/tokens */
const TokenCount = z.looseObject({ totalTokens: z.number() });

/**
 * Translates a chat completion for Google's `countTokens`, which counts the system text and the
 * tools, too. The answer is Anthropic's: `{input_tokens}`. `model` and the path are as in
 * `chatOverGoogle`.
 */
export function tokenCountOverGoogle(request: object, model: string): Translation {
  const { body } = chatOverGoogle({ ...request, stream: false }, model);
  const modelPath = googleModelPath(model);
  // Google requires the model in the body as well as in the path.
  const { generationConfig: _, ...content } = body;
  return {
    path: `/${modelPath}:countTokens`,
    body: { generateContentRequest: { model: modelPath, ...content } },
    answer: (json) => {
      const result = TokenCount.safeParse(json);
      if (!result.success) {
        throw unreadableGoogleAnswer("it holds no count of tokens", result.error);
      }
      return { input_tokens: result.data.totalTokens };
    },
  };
}
