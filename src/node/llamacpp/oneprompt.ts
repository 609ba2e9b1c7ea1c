/**
 * A completion whose prompt is a list of one text, with that text, which is the same: llama.cpp
 * (v0.5.0) takes no lists for models that see images, and some clients always send one. The same
 * object for any other prompt.
 */
export function withOnePrompt(completion: Record<string, unknown>): Record<string, unknown> {
  const { prompt } = completion;
  if (!Array.isArray(prompt) || prompt.length !== 1) return completion;
  const [only]: unknown[] = prompt;
  return typeof only === "string" ? { ...completion, prompt: only } : completion;
}
