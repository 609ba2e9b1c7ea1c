import { z } from "zod";
import type { Translation } from "../../translation.ts";
import { unreadableGoogleAnswer } from "./answer.ts";
import { googleModelPath } from "./modelpath.ts";
import { chatOverGoogle } from "./translation.ts";

/** Source: https://ai.google.dev/api/tokens */
const Counted = z.looseObject({ totalTokens: z.number() });

/**
 * Has Google count the tokens of a request for chat completions, system and tools included. The
 * answer is `{input_tokens}`, as Anthropic counts. `model` and path as those of `chatOverGoogle`.
 */
export function tokenCountOverGoogle(request: object, model: string): Translation {
  const { body } = chatOverGoogle({ ...request, stream: false }, model);
  const name = googleModelPath(model);
  // Google wants the model in here as well as in the path.
  const { generationConfig: _, ...asked } = body;
  return {
    path: `/${name}:countTokens`,
    body: { generateContentRequest: { model: name, ...asked } },
    answer: (json) => {
      const result = Counted.safeParse(json);
      if (!result.success)
        throw unreadableGoogleAnswer("it holds no count of tokens", result.error);
      return { input_tokens: result.data.totalTokens };
    },
  };
}
