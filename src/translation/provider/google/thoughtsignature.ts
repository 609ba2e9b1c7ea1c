import { z } from "zod";

/**
 * Google signs what its models thought and wants the signatures back with the next request, of
 * Gemini 3 on under pain of 400. Chat completions have no field for it: they stand where Google's
 * own OpenAI-compatible API puts them.
 * Source: https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const Signed = z.looseObject({
  extra_content: z.looseObject({ google: z.looseObject({ thought_signature: z.string() }) }),
});

/** Where a signature stands in a tool call or a message. */
export function thoughtSignatureField(signature: string | undefined): object {
  if (signature === undefined) return {};
  return { extra_content: { google: { thought_signature: signature } } };
}

/** The signature in a tool call or a message, if there is one. */
export function readThoughtSignature(value: unknown): string | undefined {
  return Signed.safeParse(value).data?.extra_content.google.thought_signature;
}

/** Says that a call comes from elsewhere and has no signature; the documentation's own word. */
const UNSIGNED = "skip_thought_signature_validator";

/** What stands in for a missing signature with this model. */
export function placeholderSignature(model: string): string | undefined {
  return hasThinkingLevels(model) ? UNSIGNED : undefined;
}

/** Models of Gemini 3 and later: thinking has levels, and calls must be signed. */
export function hasThinkingLevels(model: string): boolean {
  return /^gemini-(?:[3-9]|\d{2,})(?![\d])/.test(model);
}
