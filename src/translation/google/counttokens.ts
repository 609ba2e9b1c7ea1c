import { z } from "zod";
import type { Translation } from "../translation.ts";
import { unusable } from "./answer.ts";
import { chatOverGoogle } from "./chat.ts";
import { modelPath } from "./model.ts";

/** Source: https://ai.google.dev/api/tokens */
const Counted = z.looseObject({ totalTokens: z.number() });

/**
 * Has Google count the tokens of a request for chat completions, system and tools included. The
 * answer is `{input_tokens}`, as Anthropic counts. `model` and path as those of `chatOverGoogle`.
 */
export function countOverGoogle(request: object, model: string): Translation {
  const { body } = chatOverGoogle({ ...request, stream: false }, model);
  const name = modelPath(model);
  // Google wants the model in here as well as in the path.
  const { generationConfig: _, ...asked } = body;
  return {
    path: `/${name}:countTokens`,
    body: { generateContentRequest: { model: name, ...asked } },
    answer: (json) => {
      const result = Counted.safeParse(json);
      if (!result.success) throw unusable("it holds no count of tokens", result.error);
      return { input_tokens: result.data.totalTokens };
    },
  };
}
