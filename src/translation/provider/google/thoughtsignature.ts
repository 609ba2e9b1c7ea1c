import { z } from "zod";
import { hasThinkingLevels } from "./reasoning.ts";

/**
 * Google signs its models' thinking and requires the signatures with the next request: from
 * Gemini 3 on it refuses requests without them. Chat completions have no field for a signature: it
 * stands where Google's own OpenAI-compatible API puts it.
 * Source: https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const SignedValue = z.looseObject({
  extra_content: z.looseObject({ google: z.looseObject({ thought_signature: z.string() }) }),
});

/** The field of a tool call or a message that holds a signature; no field without one. */
export function thoughtSignatureField(signature: string | undefined): object {
  if (signature === undefined) return {};
  return { extra_content: { google: { thought_signature: signature } } };
}

/** The signature in a tool call or a message; undefined if it has none. */
export function readThoughtSignature(value: unknown): string | undefined {
  return SignedValue.safeParse(value).data?.extra_content.google.thought_signature;
}

/** Google's documented mark of a call that another model made and that has no signature. */
const UNSIGNED = "skip_thought_signature_validator";

/** What a call without a signature is sent with; undefined for models that need none. */
export function placeholderSignature(model: string): string | undefined {
  return hasThinkingLevels(model) ? UNSIGNED : undefined;
}
