/**
 * Replaces a prompt that is a list of one text by that text, which means the same: llama.cpp
 * (v0.5.0) accepts no lists for models that see images, and some clients always send one. Returns
 * the same object for any other prompt.
 */
export function withOnePrompt(completion: Record<string, unknown>): Record<string, unknown> {
  const { prompt } = completion;
  if (!Array.isArray(prompt) || prompt.length !== 1) return completion;
  const [text]: unknown[] = prompt;
  return typeof text === "string" ? { ...completion, prompt: text } : completion;
}
